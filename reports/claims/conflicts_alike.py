"""C7: directions conflict no more between tasks than between samples, magnitudes differ more.

Shapes: S seeds.
"""

from collections.abc import Mapping
from typing import Final

from reports._titles import title_of
from reports.claims.claim import Claim, Effect, Finding, not_asked
from reports.claims.evidence import SECOND_SEED, listed, seeds_said, undecided_yet
from reports.claims.methods import best_on_validation, outstanding, search_of
from reports.conflicts import ComparedPairs, asked, compared
from reports.frames import StudyFrames
from reports.inference import Estimate, Interval, mean_of
from storage.records import PAIRINGS

NAME: Final = "C7"
MARGIN: Final = 5.0
"""By so many points of the share of conflicting pairs, "no more" is still met."""
_STATES: Final = (
    "Directions of gradients conflict no more between tasks than between samples, and their "
    "magnitudes differ more"
)
_NEEDS: Final = (
    "two tasks or more and gradients that were compared while runs trained: `gradients = { every = "
    "5, samples = 8 }` in [diagnostics]"
)
_POINTS: Final = "points"


def conflicts_alike(frames: StudyFrames) -> Claim:
    """Both differences, tasks minus samples, in the runs of equal weighting's winner.

    Without a search of equal weighting, of the one that is best on validation.
    """
    if len(frames.tasks) < 2 or (asked(frames) is None and frames.conflicts.empty):
        return not_asked(NAME, _STATES, _NEEDS)
    search = search_of(frames, "ew") or best_on_validation(frames, frames.searches)
    if search is None:
        return undecided_yet(NAME, _STATES, "No trial is done on every seed")
    if missing := outstanding(frames, [search]):
        return undecided_yet(NAME, _STATES, missing)
    of = {one.pairing: one for one in compared(frames) if one.search == search}
    if len(of) < len(PAIRINGS) or of["tasks"].runs != of["samples"].runs:
        return not_asked(NAME, _STATES, f"{_NEEDS}, in runs of {title_of(frames, search)}'s winner")
    return _told(frames, of)


def found_by(conflicts: Estimate, magnitudes: Estimate) -> Finding:
    """Both halves are met, or one is refuted, by their intervals; else nothing is decided.

    Args:
        conflicts: Share of conflicting pairs between tasks minus between samples, in points.
        magnitudes: Mean magnitude similarity, likewise.
    """
    first, second = conflicts.interval(), magnitudes.interval()
    if first is None or second is None:
        return "undecided"
    if first.low > MARGIN or second.low >= 0:
        return "not supported"
    return "supported" if first.high <= MARGIN and second.high < 0 else "undecided"


def _told(frames: StudyFrames, of: Mapping[str, ComparedPairs]) -> Claim:
    tasks, samples = of["tasks"], of["samples"]
    conflicts = _gap(tasks, samples, "negative_cosine", 100.0)
    magnitudes = _gap(tasks, samples, "magnitude", 1.0)
    finding = found_by(conflicts, magnitudes)
    one, other = conflicts.interval(), magnitudes.interval()
    return Claim(
        name=NAME,
        states=_STATES,
        finding=finding,
        said=f"In the runs of {tasks.title}'s winner, between tasks minus between samples: the "
        f"share of pairs that point apart {_number(conflicts.value, '+.1f')} points "
        f"({_ends(one, '+.1f')}; the margin is {MARGIN:g}), the mean magnitude similarity "
        f"{_number(magnitudes.value, '+.3f')} ({_ends(other, '+.3f')}; below 0 magnitudes differ "
        "more).",
        effects=(
            Effect(
                name="share of conflicts, tasks minus samples",
                value=conflicts.value,
                interval=one,
                unit=_POINTS,
                shown="+.1f",
            ),
            Effect(
                name="magnitude similarity, tasks minus samples",
                value=magnitudes.value,
                interval=other,
                unit="",
                shown="+.3f",
            ),
        ),
        would_decide=_would_decide(conflicts, magnitudes) if finding == "undecided" else "",
        remarks=(
            "Of unweighted losses on the shared parameters, as means over epochs; the network "
            "evaluates while gradients are taken, batch normalisation goes by its running "
            "statistics.",
        ),
        runs=listed(frames, tasks.runs),
    )


def _gap(tasks: ComparedPairs, samples: ComparedPairs, measure: str, by: float) -> Estimate:
    pairs = zip(tasks.by_run[measure], samples.by_run[measure], strict=True)
    return mean_of([by * (one - other) for one, other in pairs])


def _would_decide(conflicts: Estimate, magnitudes: Estimate) -> str:
    if conflicts.n_seeds < 2:
        return SECOND_SEED
    reaches = (
        (conflicts, abs(MARGIN - conflicts.value)),
        (magnitudes, abs(magnitudes.value)),
    )
    return seeds_said([estimate.seeds_to_reach(reach) for estimate, reach in reaches])


def _ends(known: Interval | None, form: str) -> str:
    if known is None:
        return "no interval"
    return f"95 % interval {_number(known.low, form)} to {_number(known.high, form)}"


def _number(value: float, form: str) -> str:
    return f"{value:{form}}".replace("-", "\N{MINUS SIGN}")
