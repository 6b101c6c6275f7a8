"""What there is to tell of a study: pure functions of how it stands.

An event has a key that is the same for all who see it, whenever and wherever they look: of two
drivers, or of one before and after its death, each writes the same row. What happens anew, as after
`retry`, with more seeds or a larger budget, has another key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from storage.records import Pulse, Totals
from storage.states import FINAL, RunState
from storage.wording import counted, duration, of_limit

IDLE_S: Final = 600.0
"""Without anybody at work, or any news, a study has stalled after so long."""
SLOW: Final = 10.0
"""... and while somebody is, after so many times what an epoch of its took at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Something that is to be told once.

    Attributes:
        event: As [notify] has it.
        said: What has happened, in a sentence.
    """

    key: str
    event: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a study stands, to somebody who has looked for a while.

    Attributes:
        finished: Whether no search wants more runs; None where that is not known.
        begun: When the study was made.
        unchanged_s: For how long nothing has changed before the eyes of who looks.
        held_up: Whether it is paused.
        open_limit_s: How long workers may take to begin.
    """

    totals: Totals
    pulse: Pulse
    budget: Mapping[str, Any]
    begun: datetime
    now: datetime
    finished: bool | None = None
    unchanged_s: float = 0.0
    held_up: bool = False
    open_limit_s: float = 1800.0

    @property
    def open_runs(self) -> int:
        """Runs that have not ended."""
        return sum(n for state, n in self.totals.states.items() if state not in FINAL)


def news_of(standing: Standing, *, on: Sequence[str], shares: Sequence[int]) -> list[News]:
    """What is to be told, whether or not it was told before.

    Args:
        on: Events that are asked for.
        shares: Percentages of a budget.
    """
    of_budget = list(_spent(standing, shares))
    found = [*_failed(standing), *_stalled(standing), *of_budget, *_done(standing)]
    return [news for news in found if news.event in on or news in of_budget]


def _done(standing: Standing) -> Iterator[News]:
    states = standing.totals.states
    if standing.finished and states and not standing.open_runs:
        failed = states.get(RunState.FAILED, 0)
        n = sum(states.values())
        with_failures = f", {failed} of which failed" if failed else ""
        said = f"Nothing is left to train: {counted(n, 'run')} ended{with_failures}."
        yield News(key=f"done {standing.pulse.trained}", event="done", said=said)


def _failed(standing: Standing) -> Iterator[News]:
    """The first failure, and again when there are ten times as many."""
    n = standing.totals.states.get(RunState.FAILED, 0)
    if n and standing.pulse.failed:
        bucket = 10 ** (len(str(n)) - 1)
        said = f"{counted(n, 'run')} failed for good; `weighbridge log` says why."
        yield News(key=f"failed {standing.pulse.failed} {bucket}", event="failed", said=said)


def _stalled(standing: Standing) -> Iterator[News]:
    pulse = standing.pulse
    if not standing.open_runs or standing.held_up:
        return
    key = f"stalled {pulse.change}"
    if not pulse.alive:
        since = pulse.last or standing.begun
        idle_s = (standing.now - since) / timedelta(seconds=1)
        if idle_s >= IDLE_S:
            said = (
                f"Nobody is at work, and {counted(standing.open_runs, 'run')} "
                f"{'waits' if standing.open_runs == 1 else 'wait'}; the last thing happened "
                f"{duration(idle_s)} ago."
            )
            yield News(key=key, event="stalled", said=said)
    elif standing.unchanged_s >= patience_s(pulse, standing.open_limit_s):
        said = (
            f"Workers hold {counted(pulse.alive, 'run')}, and have not told of an epoch for "
            f"{duration(standing.unchanged_s)}."
        )
        yield News(key=key, event="stalled", said=said)


def patience_s(pulse: Pulse, open_limit_s: float) -> float:
    """How long a study under way may go without news."""
    usual = open_limit_s if pulse.epoch_s is None else SLOW * pulse.epoch_s
    return max(IDLE_S, usual)


def _spent(standing: Standing, shares: Sequence[int]) -> Iterator[News]:
    for kind, spent in standing.totals.used.items():
        limit = standing.budget.get(kind)
        for share in shares:
            if limit is not None and 100 * spent >= share * limit:
                yield News(
                    key=f"budget {share}% {kind} {limit:.17g}",
                    event=f"budget {share}%",
                    said=f"{share} % of the budget is used up: {of_limit(kind, spent, limit)}.",
                )
