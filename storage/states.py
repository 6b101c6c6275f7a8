"""States of a run and the moves between them, as data."""

from __future__ import annotations

from enum import StrEnum

from storage.errors import IllegalMove


class RunState(StrEnum):
    """Where a run stands."""

    WAITING = "waiting"
    LEASED = "leased"
    PAUSED = "paused"
    DONE = "done"
    DIVERGED = "diverged"
    PRUNED = "pruned"
    FAILED = "failed"


class Liveness(StrEnum):
    """What is known of the process that holds a lease."""

    DEAD = "dead"
    ALIVE = "alive"
    UNKNOWN = "unknown"


_S = RunState

MOVES: dict[RunState, frozenset[RunState]] = {
    _S.WAITING: frozenset({_S.LEASED}),
    # back to waiting: released on request, or the lease was taken over
    _S.LEASED: frozenset({_S.WAITING, _S.PAUSED, _S.DONE, _S.DIVERGED, _S.FAILED}),
    _S.PAUSED: frozenset({_S.WAITING, _S.PRUNED}),
    _S.DONE: frozenset(),
    _S.DIVERGED: frozenset(),
    _S.PRUNED: frozenset(),
    # back to waiting: the user asks for another try
    _S.FAILED: frozenset({_S.WAITING}),
}

FINAL = frozenset({_S.DONE, _S.DIVERGED, _S.PRUNED, _S.FAILED})


def check_move(old: RunState, new: RunState) -> None:
    """Refuse a move that the table does not hold.

    Raises:
        IllegalMove: With the moves that are allowed.
    """
    if new not in MOVES[old]:
        allowed = ", ".join(sorted(MOVES[old])) or "none, it is final"
        raise IllegalMove(f"A run cannot go from {old} to {new}. Allowed: {allowed}.")
