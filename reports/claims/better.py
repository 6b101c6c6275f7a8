"""C2: UW-SO is better than each of six weightings that tune nothing of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from reports._ranking import number, objective_of
from reports._titles import title_of
from reports.claims.claim import Claim, Finding, not_asked
from reports.claims.evidence import (
    SECOND_SEED,
    gap_effect,
    runs_of,
    seeds_said,
    undecided_yet,
)
from reports.claims.methods import outstanding, search_of
from reports.comparing.differences import Difference, Verdict, adjusted, difference
from reports.comparing.effort import is_equal_weighting, shortfall
from reports.comparing.wording import gaps_of, span
from reports.frames import StudyFrames
from storage.objectives import Objective

NAME: Final = "C2"
_OTHERS: Final = ("ew", "rlw", "dwa", "gls", "imtl-l", "uw")
_WORDS: Final[Mapping[Verdict, str]] = {
    "better": "than",
    "worse": "than",
    "comparable": "to",
    "undecided": "against",
}
_STATES: Final = "UW-SO is better than EW, RLW, DWA, GLS, IMTL-L and UW"


def better(frames: StudyFrames) -> Claim:
    """Six differences as one family, after Holm."""
    mine, others = search_of(frames, "uw-so"), [search_of(frames, name) for name in _OTHERS]
    searches = [search for search in (mine, *others) if search is not None]
    if mine is None or len(searches) <= len(_OTHERS):
        wanted = ("uw-so", *_OTHERS)
        absent = [
            name for name, found in zip(wanted, (mine, *others), strict=True) if found is None
        ]
        return not_asked(NAME, _STATES, f"searches of {', '.join(absent)}, too")
    if missing := outstanding(frames, searches):
        return undecided_yet(NAME, _STATES, missing)
    found = adjusted(
        [gap for search in searches[1:] if (gap := difference(frames, mine, search)) is not None]
    )
    finding = of_six(found)
    return Claim(
        name=NAME,
        states=_STATES,
        finding=finding,
        said=_said(frames, found),
        effects=tuple(gap_effect(frames, gap) for gap in found),
        would_decide=_would_decide(found) if finding == "undecided" else "",
        runs=runs_of(frames, searches),
    )


def of_six(found: Sequence[Difference]) -> Finding:
    """Decided against it is as soon as one is worse, or not to be told from UW-SO by the margin."""
    verdicts = {gap.verdict for gap in found}
    if verdicts == {"better"}:
        return "supported"
    return "not supported" if verdicts & {"worse", "comparable"} else "undecided"


def _would_decide(found: Sequence[Difference]) -> str:
    open_ = [gap for gap in found if gap.verdict == "undecided"]
    if any(gap.interval is None for gap in open_):
        return SECOND_SEED
    return seeds_said([gap.seeds_to_decide for gap in open_])


def _said(frames: StudyFrames, found: Sequence[Difference]) -> str:
    """Each difference with its interval, by verdict."""
    gaps = gaps_of(objective_of(frames))
    bare, unit = replace(gaps, unit=""), f", in {gaps.unit}" if gaps.unit else ""
    parts = []
    for verdict, word in _WORDS.items():
        mine = [gap for gap in found if gap.verdict == verdict]
        sizes = [
            f"{title_of(frames, gap.b)} {number(bare, gap.value)} ({_ends(bare, gap)})"
            for gap in mine
        ]
        parts += [f"{verdict} {word} {', '.join(sizes)}"] if mine else []
    but = [
        text
        for gap in found
        if gap.verdict == "better" and is_equal_weighting(frames, gap.b)
        if (text := shortfall(frames, gap.b, gap.a))
    ]
    told = (
        f"On test UW-SO is {'; '.join(parts)} (differences{unit}, with 95 % intervals for six at "
        "once after Holm)."
    )
    return " ".join([told, *but])


def _ends(objective: Objective, gap: Difference) -> str:
    return "no interval" if gap.interval is None else span(objective, gap.interval)
