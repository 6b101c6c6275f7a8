"""Which two searches of a study the break-even is about, and what they have cost."""

from typing import Final

from reports._eligible import FINAL
from reports._titles import title_of, weighting_of
from reports.comparing.break_even import Bill, BreakEven
from reports.comparing.calibrated import uncalibrated
from reports.frames import StudyFrames, strategies

# What every weighting tunes; a search over anything else tunes the weighting itself.
_SHARED: Final = frozenset({"lr", "weight_decay"})
_REFERENCE: Final = "uw-so"


def break_even(frames: StudyFrames) -> BreakEven | None:
    """Compare the largest grid over a weighting's own parameters with a line search.

    The line search is that of UW-SO, else any with a line over its weighting's own parameters; of
    several the cheapest, each run alone.

    Returns:
        None if runs share no packs, or the study lacks one of the two.
    """
    if not frames.packed:
        return None
    sizes = {search: _own_points(frames, search, "grid") for search in frames.searches}
    lines = [search for search in frames.searches if _is_line(frames, search)]
    reference = [search for search in lines if weighting_of(frames, search) == _REFERENCE]
    bills = [_bill(frames, search) for search in reference or lines]
    grids = [search for search, size in sizes.items() if size and search not in lines]
    if not bills or not grids:
        return None
    return BreakEven(
        grid=_bill(frames, max(grids, key=sizes.__getitem__)),
        line=min(bills, key=lambda bill: bill.solo_s),
    )


def _is_line(frames: StudyFrames, search: str) -> bool:
    """Whether a search is a line; one of UW-SO is, with any strategy."""
    kind = None if weighting_of(frames, search) == _REFERENCE else "line"
    return bool(_own_points(frames, search, kind))


def _own_points(frames: StudyFrames, search: str, kind: str | None) -> int:
    """Points of stages, of one kind or any, that tune parameters of the weighting's own."""
    rows = frames.stages[frames.stages["search"] == search]
    rows = rows if kind is None else rows[strategies(rows) == kind]
    tuned = rows["params_tuned"]
    own = [names for names in tuned.unique() if not _SHARED.issuperset(str(names).split(","))]
    return int(rows.loc[tuned.isin(own), "trial"].nunique())


def _bill(frames: StudyFrames, search: str) -> Bill:
    runs = frames.runs[(frames.runs["search"] == search) & (frames.runs["role"] == "search")]
    runs = runs[runs["planned"]]
    return Bill(
        search=search,
        title=title_of(frames, search),
        solo_s=float(runs["solo_cost_s"].sum()),
        as_run_s=float(runs["method_cost_s"].sum()),
        finished=int(runs["state"].isin(FINAL).sum()),
        planned=len(runs),
        uncalibrated=int(uncalibrated(frames, runs).sum()),
    )
