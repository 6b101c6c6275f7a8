"""C5: multi-task networks are not better than single-task ones by themselves."""

from collections.abc import Mapping
from typing import Final

from reports._ranking import objective_of, reference
from reports._spread import baseline_parts, baseline_runs
from reports._titles import title_of
from reports.claims.claim import Claim, Finding, not_asked
from reports.claims.evidence import (
    gap_effect,
    listed,
    seeds_that_decide,
    told,
    undecided_yet,
)
from reports.claims.methods import best_on_validation, outstanding
from reports.comparing.differences import Difference, against_stl
from reports.comparing.rows import method_row
from reports.comparing.winners import winner_of
from reports.comparing.wording import gaps_of
from reports.frames import StudyFrames
from storage.wording import counted

NAME: Final = "C5"
_STATES: Final = "Multi-task networks are not better than single-task ones by themselves"


def no_gain(frames: StudyFrames) -> Claim:
    """The best method minus the single-task networks, whose seeds are in the interval."""
    if not frames.standing_baseline("test"):
        return not_asked(NAME, _STATES, "single-task networks whose runs have ended")
    if missing := outstanding(frames, frames.searches):
        return undecided_yet(NAME, _STATES, missing)
    best = best_on_validation(frames, frames.searches)
    assert best is not None, "each has a winner"
    metrics = method_row(frames, best).metrics
    found = against_stl(frames, best, stl=reference(frames, "test"), metrics=metrics)
    assert found is not None, "it has a winner, and there is a baseline"
    finding, title = gain_missing(found), title_of(frames, best)
    winner = winner_of(frames, best)
    runs = [*(winner.runs if winner else ()), *baseline_runs(frames)["run"].tolist()]
    gaps = gaps_of(objective_of(frames))
    margin = f"; the margin is {found.margin:g}" if found.margin is not None else ""
    return Claim(
        name=NAME,
        states=_STATES,
        finding=finding,
        said=f"{title}, the best of {counted(len(frames.searches), 'method')} on validation, minus "
        f"STL on test: {told(gaps, found.value, found.interval)}{margin}.",
        effects=(gap_effect(frames, found),),
        would_decide=seeds_that_decide(found.estimate, _reach(found))
        if finding == "undecided"
        else "",
        remarks=(*gain_left(found), *_remarks(frames, metrics, best)),
        runs=listed(frames, runs),
    )


def _ends(found: Difference) -> tuple[float, float] | None:
    """Both ends of the interval where lower is better."""
    known = found.interval
    if known is None:
        return None
    low, high = sorted((found.sign * known.low, found.sign * known.high))
    return low, high


def gain_missing(found: Difference) -> Finding:
    """Better is better, by however little; not better is what is no more than the margin better."""
    ends = _ends(found)
    if ends is None:
        return "undecided"
    if ends[1] < 0:
        return "not supported"
    return "supported" if ends[0] >= -(found.margin or 0.0) else "undecided"


def gain_left(found: Difference) -> tuple[str, ...]:
    """Supported is not "no gain": what gain the interval leaves open."""
    ends = _ends(found)
    if ends is None or ends[0] >= 0 or gain_missing(found) != "supported":
        return ()
    return (
        "Supported: no gain beyond the margin. A smaller one, up to the interval's end, is open.",
    )


def _reach(found: Difference) -> float:
    value = found.sign * found.value
    return max(-value, value + (found.margin or 0.0))


def _remarks(
    frames: StudyFrames, metrics: Mapping[tuple[str, str], float], best: str
) -> tuple[str, ...]:
    """What the choice of the best and the baseline's seeds do to the interval."""
    winner = winner_of(frames, best)
    chosen = "The same seeds chose it and judge it, on other data: that flatters it a little."
    flattered = len(frames.searches) > 1 and winner is not None and winner.kind != "confirmed"
    known = baseline_parts(frames, metrics, objective_of(frames)) is not None
    inside = "The interval holds the seeds of the single-task networks, too."
    unknown = "Nothing tells the seeds of the single-task networks: they are not in the interval."
    return (*((chosen,) if flattered else ()), inside if known else unknown)
