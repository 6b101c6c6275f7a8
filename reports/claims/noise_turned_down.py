"""C9: UW and UW-SO turn a task with noisy labels down, and that helps.

Shapes: S seeds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reports._ranking import number, objective_of
from reports._titles import title_of
from reports.claims.claim import Claim, Effect, Finding, not_asked
from reports.claims.evidence import (
    POINTS,
    SECOND_SEED,
    gap_effect,
    listed,
    seeds_said,
    undecided_yet,
)
from reports.claims.methods import outstanding, search_of
from reports.comparing.differences import Difference, Verdict, adjusted, difference
from reports.comparing.winners import winner_of
from reports.comparing.wording import gaps_of, span
from reports.frames import StudyFrames
from reports.inference import Estimate, Interval, holm_levels, mean_of
from storage.objectives import Objective

NAME: Final = "C9"
_STATES: Final = "UW and UW-SO turn a task with noisy labels down, and that helps"
_METHODS: Final = ("uw", "uw-so")
_WORDS: Final[Mapping[Verdict, str]] = {
    "better": "better than",
    "worse": "worse than",
    "comparable": "comparable to",
    "undecided": "undecided against",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """How far a method turns the noisy tasks down, and what it is worth.

    Attributes:
        share: Their share of the loss weights minus an equal share, in percentage points.
        within: Its interval, after Holm; None where nothing tells it.
        gap: The method minus equal weighting on clean test labels, after Holm.
    """

    share: Estimate
    within: Interval | None
    gap: Difference


def noise_turned_down(frames: StudyFrames) -> Claim:
    """Each method's share of weight for the noisy tasks, and its difference from EW."""
    noisy = noisy_tasks(frames)
    if not noisy or len(noisy) == len(frames.tasks):
        return not_asked(NAME, _STATES, "`label_noise` on some of its tasks, and others without")
    mine, equal = [search_of(frames, name) for name in _METHODS], search_of(frames, "ew")
    searches = [search for search in (*mine, equal) if search is not None]
    if equal is None or len(searches) <= len(_METHODS):
        return not_asked(NAME, _STATES, "searches of ew, uw and uw-so")
    if missing := outstanding(frames, searches):
        return undecided_yet(NAME, _STATES, missing)
    found = _turned(frames, searches[:-1], equal, noisy)
    finding = turned_and_better(found)
    return Claim(
        name=NAME,
        states=_STATES,
        finding=finding,
        said=" ".join(_said(frames, one, noisy) for one in found),
        effects=tuple(effect for one in found for effect in _effects(frames, one, noisy)),
        would_decide=_would_decide(found) if finding == "undecided" else "",
        remarks=_remarks(frames),
        runs=listed(frames, _runs(frames, searches)),
    )


def noisy_tasks(frames: StudyFrames) -> list[str]:
    """Tasks of the study whose labels are noisy, by its spec."""
    noise: Mapping[str, Any] = frames.spec.get("label_noise") or {}
    if noise.get("rate") == 0:
        return []
    named = noise.get("task", [])
    return [task for task in frames.tasks if task in ([named] if isinstance(named, str) else named)]


def turned_and_better(found: Sequence[Turned]) -> Finding:
    """Both of both: a share below an equal one and a better value; refuted by one that is not."""
    if any(one.within is not None and one.within.low >= 0 for one in found):
        return "not supported"
    verdicts = {one.gap.verdict for one in found}
    if verdicts & {"worse", "comparable"}:
        return "not supported"
    down = all(one.within is not None and one.within.high < 0 for one in found)
    return "supported" if down and verdicts == {"better"} else "undecided"


def _turned(
    frames: StudyFrames, searches: Sequence[str], equal: str, noisy: Sequence[str]
) -> list[Turned]:
    gaps = adjusted(
        [gap for search in searches if (gap := difference(frames, search, equal)) is not None]
    )
    shares = [mean_of(_shares(frames, search, noisy)) for search in searches]
    levels = holm_levels([share.p_value for share in shares])
    return [
        Turned(share=share, within=share.interval(level), gap=gap)
        for share, level, gap in zip(shares, levels, gaps, strict=True)
    ]


def _shares(frames: StudyFrames, search: str, noisy: Sequence[str]) -> list[float]:
    """The noisy tasks' part of the weight minus an equal one, ``[S]``, means over all epochs."""
    winner = winner_of(frames, search)
    runs = winner.chosen_runs if winner else ()
    rows = frames.epochs.rows(split="train", metric="weight", runs=runs)
    weights = rows.pivot_table(index=["run", "epoch"], columns="task", values="value")
    parts = weights[list(noisy)].sum(axis=1) / weights.sum(axis=1)
    by_run = parts.groupby("run").mean() - len(noisy) / len(frames.tasks)
    return [100 * float(share) for share in by_run]


def _effects(frames: StudyFrames, one: Turned, noisy: Sequence[str]) -> tuple[Effect, Effect]:
    title = title_of(frames, one.gap.a)
    turned = Effect(
        name=f"{title}: weight of {', '.join(noisy)} minus an equal share",
        value=one.share.value,
        interval=one.within,
        unit="points",
        shown="+.1f",
    )
    return turned, gap_effect(frames, one.gap)


def _said(frames: StudyFrames, one: Turned, noisy: Sequence[str]) -> str:
    title, gaps = title_of(frames, one.gap.a), gaps_of(objective_of(frames))
    return (
        f"The share of {' and '.join(noisy)} in the weights of {title} is "
        f"{_told(POINTS, one.share.value, one.within)} off an equal one, a mean over epochs; on "
        f"test {title} is {_WORDS[one.gap.verdict]} {title_of(frames, one.gap.b)}: "
        f"{_told(gaps, one.gap.value, one.gap.interval)}."
    )


def _told(objective: Objective, value: float, interval: Interval | None) -> str:
    within = "no interval" if interval is None else span(objective, interval)
    return f"{number(objective, value)} ({within})"


def _would_decide(found: Sequence[Turned]) -> str:
    """The seeds of what is open: shares that an interval holds 0 of, and gaps."""
    shares = [one for one in found if one.within is None or not one.within.excludes(0.0)]
    gaps = [one.gap for one in found if one.gap.verdict == "undecided"]
    if any(one.within is None for one in shares) or any(gap.interval is None for gap in gaps):
        return SECOND_SEED
    needed = [one.share.seeds_to_reach(abs(one.share.value)) for one in shares]
    return seeds_said([*needed, *(gap.seeds_to_decide for gap in gaps)])


def _remarks(frames: StudyFrames) -> tuple[str, ...]:
    losses = {str(task["loss"]) for task in frames.card["tasks"]}
    at_once = "Intervals are 95 % ones for both methods at once, after Holm."
    if len(losses) == 1:
        return (at_once,)
    return (
        at_once,
        f"Tasks have losses of other kinds ({', '.join(sorted(losses))}), whose scales move shares "
        "of weight, too.",
    )


def _runs(frames: StudyFrames, searches: Sequence[str]) -> list[int]:
    winners = [winner for search in searches if (winner := winner_of(frames, search))]
    return [run for winner in winners for run in (*winner.runs, *winner.chosen_runs)]
