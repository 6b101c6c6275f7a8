"""What the claims say alike: effects, runs behind them, and what would decide."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from reports._ranking import number, objective_of
from reports._titles import title_of
from reports.claims.claim import Claim, Effect
from reports.comparing.differences import Difference
from reports.comparing.winners import winner_of
from reports.comparing.wording import gaps_of, span
from reports.errors import NoTable
from reports.frames import StudyFrames
from reports.inference import Estimate, Interval
from reports.tables.method_table import refuse_without_methods
from storage.objectives import Objective
from storage.objectives.delta_m import objectives
from storage.wording import counted

POINTS: Final = gaps_of(objectives(())[0])
"""Differences of delta_m, and of what it is a mean of."""

SECOND_SEED: Final = "a second seed: one seed has no interval"


def refuse_without_weightings(frames: StudyFrames) -> None:
    """Refuse a study of which nothing is claimed: all claims compare weightings.

    Raises:
        NoTable: The study is sealed, or is that of a training function or a trainer.
    """
    refuse_without_methods(frames)
    if frames.of_trainer:
        raise NoTable(
            "All claims compare weightings, and a trainer's study has none. "
            f"Got {frames.name!r}. `weighbridge compare` says what it finds."
        )


def gap_effect(frames: StudyFrames, found: Difference) -> Effect:
    """A difference between two methods."""
    gaps = gaps_of(objective_of(frames))
    other = "STL" if found.b == "stl" else title_of(frames, found.b)
    return Effect(
        name=f"{title_of(frames, found.a)} minus {other}",
        value=found.value,
        interval=found.interval,
        unit=gaps.unit,
        shown=gaps.shown,
    )


def told(objective: Objective, value: float, interval: Interval | None) -> str:
    """``+0.42 points (95 % interval −0.10 to +0.94)``."""
    return f"{number(objective, value)} ({ends(objective, interval)})"


def ends(objective: Objective, interval: Interval | None) -> str:
    """``95 % interval −0.10 to +0.94``, or that there is none."""
    if interval is None:
        return "no interval"
    return f"95 % interval {span(objective, interval)}"


def runs_of(frames: StudyFrames, searches: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """The study with the runs that the values of these searches are means of."""
    winners = (winner_of(frames, search) for search in searches)
    return listed(frames, [run for winner in winners if winner for run in winner.runs])


def listed(frames: StudyFrames, runs: Iterable[int]) -> dict[str, tuple[int, ...]]:
    """The study with runs, each once and rising."""
    return {frames.name: tuple(sorted({int(run) for run in runs}))}


def undecided_yet(name: str, states: str, missing: str) -> Claim:
    """A claim that waits for runs."""
    return Claim(
        name=name,
        states=states,
        finding="undecided",
        said=f"{missing}.",
        would_decide="the runs that are missing",
    )


def seeds_that_decide(estimate: Estimate, reach: float) -> str:
    """How many seeds would decide, if all stays what it is.

    Args:
        reach: The half-width at which the interval decides.
    """
    if estimate.interval() is None:
        return SECOND_SEED
    return seeds_said([estimate.seeds_to_reach(reach)])


def seeds_said(counts: Sequence[int | None]) -> str:
    """So many seeds as the most demanding one takes; None for one that takes too many."""
    known = [count for count in counts if count is not None]
    if len(known) < len(counts):
        return "more than 10,000 seeds"
    return f"about {counted(max(known), 'seed')}"


def told_beforehand(claim: Claim, *studies: StudyFrames) -> Claim:
    """The claim, with a remark of the studies whose spec names it as what they were made for."""
    named = [one.name for one in studies if one.spec["compare"].get("claim") == claim.name]
    if not named:
        return claim
    said = f"It is the primary claim of {', '.join(named)}, named before the first run."
    return replace(claim, remarks=(said, *claim.remarks))
