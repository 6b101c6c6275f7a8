"""The table of moves."""

from __future__ import annotations

import itertools

import pytest

from storage import FINAL, MOVES, IllegalMove, RunState
from storage.states import check_move

_ALL = list(itertools.product(RunState, RunState))
_LEGAL = {(old, new) for old, news in MOVES.items() for new in news}


@pytest.mark.parametrize(("old", "new"), [move for move in _ALL if move in _LEGAL])
def test_moves_of_the_table_are_allowed(old: RunState, new: RunState) -> None:
    check_move(old, new)


@pytest.mark.parametrize(("old", "new"), [move for move in _ALL if move not in _LEGAL])
def test_all_other_moves_are_refused(old: RunState, new: RunState) -> None:
    with pytest.raises(IllegalMove, match=f"cannot go from {old} to {new}. Allowed: "):
        check_move(old, new)


def test_a_refusal_names_what_is_allowed() -> None:
    with pytest.raises(IllegalMove, match=r"Allowed: pruned, waiting\."):
        check_move(RunState.PAUSED, RunState.DONE)


def test_a_refusal_says_when_nothing_is_allowed() -> None:
    with pytest.raises(IllegalMove, match=r"Allowed: none, it is final\."):
        check_move(RunState.DONE, RunState.WAITING)


def test_every_state_is_in_the_table() -> None:
    assert set(MOVES) == set(RunState)


def test_only_a_failed_run_leaves_a_final_state() -> None:
    assert {state for state in FINAL if MOVES[state]} == {RunState.FAILED}


def test_every_state_can_be_reached_from_waiting() -> None:
    reached = {RunState.WAITING}
    while news := set().union(*(MOVES[state] for state in reached)) - reached:
        reached |= news
    assert reached == set(RunState)
