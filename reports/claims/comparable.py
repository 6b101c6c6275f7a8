"""C1: UW-SO comes to what the grid of Scalarization does, within the margin."""

from typing import Final

from reports._ranking import objective_of
from reports._titles import title_of
from reports.claims.claim import Claim, Finding, not_asked
from reports.claims.evidence import gap_effect, runs_of, seeds_that_decide, told, undecided_yet
from reports.claims.methods import outstanding, search_of
from reports.comparing.differences import Difference, difference, margin_of
from reports.comparing.roles import reference_of
from reports.comparing.sparser_grids import sparser_grids
from reports.comparing.wording import gaps_of
from reports.frames import StudyFrames
from reports.spending import CostToMatch, costs_to_match
from reports.spending.axes import axis_of_matches
from storage.wording import counted

NAME: Final = "C1"
_STATES: Final = "UW-SO is comparable to Scalarization"


def comparable(frames: StudyFrames) -> Claim:
    """The difference against the margin, with both ratios of cost."""
    margin, mine = margin_of(frames), search_of(frames, "uw-so")
    grid = None if mine is None else reference_of(frames, mine)
    if margin is None:
        return not_asked(NAME, _STATES, "Δm as the objective, whose margin it is about")
    states = f"{_STATES}: no more than {counted(margin, 'point')} worse"
    if mine is None or grid is None:
        return not_asked(NAME, states, "a search of UW-SO and a grid over task weights")
    if missing := outstanding(frames, (mine, grid)):
        return undecided_yet(NAME, states, missing)
    found = difference(frames, mine, grid)
    assert found is not None, "both have winners"
    matches = costs_to_match(frames, [mine], grid, margin=margin, axis=axis_of_matches(frames))
    finding = no_worse(found, margin)
    gaps, other = gaps_of(objective_of(frames)), title_of(frames, grid)
    sparser = sparser_grids(frames, mine, grid)
    said = f"UW-SO minus {other} on test: {told(gaps, found.value, found.interval)}."
    return Claim(
        name=NAME,
        states=states,
        finding=finding,
        said=" ".join([said, *(_cost(match) for match in matches)]),
        effects=(gap_effect(frames, found),),
        would_decide=seeds_that_decide(found.estimate, abs(margin - found.value))
        if finding == "undecided"
        else "",
        remarks=() if sparser is None else (sparser.sentence,),
        runs=runs_of(frames, (mine, grid)),
    )


def no_worse(found: Difference, margin: float) -> Finding:
    """All of the interval on one side of the margin, or undecided."""
    known = found.interval
    if known is None or known.low <= margin < known.high:
        return "undecided"
    return "supported" if known.high <= margin else "not supported"


def _cost(match: CostToMatch) -> str:
    """Both ratios, the fair one first."""
    return (
        f"{match.sentence} In units of all that {match.reference_title} spends, which flatters: "
        f"{match.full.said}{match.full.spread}."
    )
