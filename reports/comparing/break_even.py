"""Whether a grid in packs is cheaper than a line search trained run by run (MEASURES M7).

Packs make each run of a large grid cheap. Is the grid then, as it was run, cheaper than the short
line search is without packs? If so, packs have made up for the grid's size.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from reports._eligible import RANKED
from reports._titles import title_of
from reports.comparing.roles import is_asked_about, own_points
from reports.frames import StudyFrames
from reports.inference import Interval
from reports.timings import epoch_times
from storage.wording import counted

CostVerdict = Literal["cheaper", "dearer", "equal", "undecided"]

_SAYS: Final = {
    "cheaper": "In packs the grid is cheaper",
    "dearer": "Even in packs the grid is dearer",
    "equal": "In packs the grid costs the same",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a search has cost, and whether that is final.

    Attributes:
        solo_s: Method cost in device-seconds, as if each run had been trained alone.
        as_run_s: The same as it was run.
        finished: Final runs, of `planned`.
        uncalibrated: Runs of which the cost alone is not known.
        solo_interval: 95 % interval of `solo_s`, by the spread of timings; None without several.
    """

    search: str
    title: str
    solo_s: float
    as_run_s: float
    finished: int
    planned: int
    uncalibrated: int = 0
    solo_interval: Interval | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """A grid search as it was run against a line search with each run trained alone."""

    grid: Bill
    line: Bill

    @property
    def ratio(self) -> float | None:
        """Cost of the grid as run in units of the line's, each run alone; None if that is 0."""
        return self.grid.as_run_s / self.line.solo_s if self.line.solo_s > 0 else None

    @property
    def speedup(self) -> float | None:
        """How many times cheaper packs have made the grid; None if nothing was spent on it."""
        return self.grid.solo_s / self.grid.as_run_s if self.grid.as_run_s > 0 else None

    @property
    def needed_speedup(self) -> float | None:
        """The speed-up at which both cost the same; None if the line has cost nothing."""
        return self.grid.solo_s / self.line.solo_s if self.line.solo_s > 0 else None

    @property
    def told_apart(self) -> bool:
        """Whether the line's cost alone differs from the grid's as run, as far as timing tells."""
        ends = self.line.solo_interval
        return ends is None or ends.excludes(self.grid.as_run_s)

    @property
    def verdict(self) -> CostVerdict:
        """Whether the grid as run is cheaper; undecided while a cost is not final or not known, or
        timings do not tell both apart.
        """
        if self._gaps() or self.ratio is None or not self.told_apart:
            return "undecided"
        if self.grid.as_run_s == self.line.solo_s:
            return "equal"
        return "cheaper" if self.grid.as_run_s < self.line.solo_s else "dearer"

    @property
    def sentence(self) -> str:
        """The verdict with both numbers; while there is none, what is missing."""
        grid, line = self.grid, self.line
        if self.verdict == "undecided":
            known = self._costs if line.solo_s > 0 else f"{line.title} has cost nothing"
            gaps = self._gaps() or [known]
            return (
                f"Undecided whether {grid.title} in packs is cheaper than {line.title} with each "
                f"run alone: {' and '.join(gaps)}."
            )
        return f"{_SAYS[self.verdict]}: {self._costs}."

    @property
    def _costs(self) -> str:
        grid, line = self.grid, self.line
        return (
            f"{grid.title} took {_said(grid.as_run_s)} device-seconds as run, {line.title} would "
            f"take {_with_interval(line)} with each run alone (as run, in packs too, it took "
            f"{_said(line.as_run_s)})"
        )

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        ends = self.line.solo_interval
        return {
            "verdict": self.verdict,
            "sentence": self.sentence,
            "grid": self.grid.search,
            "line": self.line.search,
            "grid_as_run_s": self.grid.as_run_s,
            "grid_solo_s": self.grid.solo_s,
            "line_as_run_s": self.line.as_run_s,
            "line_solo_s": self.line.solo_s,
            "line_solo_low_s": ends and ends.low,
            "line_solo_high_s": ends and ends.high,
            "ratio": self.ratio,
            "speedup": self.speedup,
            "needed_speedup": self.needed_speedup,
        }

    def _gaps(self) -> list[str]:
        gaps = [
            f"{bill.title} has {bill.finished} of {bill.planned} runs"
            for bill in (self.grid, self.line)
            if bill.finished < bill.planned
        ]
        if self.line.uncalibrated:
            missing = counted(self.line.uncalibrated, "run")
            gaps.append(f"{missing} of {self.line.title} without a calibration")
        return gaps


def break_even(frames: StudyFrames) -> BreakEven | None:
    """Compare the largest grid over a weighting's own parameters with a line search.

    The line search is that of UW-SO, else any with a line over its weighting's own parameters; of
    several the cheapest, each run alone.

    Returns:
        None if runs share no packs, or the study lacks one of the two.
    """
    if not frames.packed:
        return None
    sizes = {search: own_points(frames, search, "grid") for search in frames.searches}
    lines = [search for search in frames.searches if _is_line(frames, search)]
    asked = [search for search in lines if is_asked_about(frames, search)]
    bills = [_bill(frames, search) for search in asked or lines]
    grids = [search for search, size in sizes.items() if size and search not in lines]
    if not bills or not grids:
        return None
    return BreakEven(
        grid=_bill(frames, max(grids, key=sizes.__getitem__)),
        line=min(bills, key=lambda bill: bill.solo_s),
    )


def _is_line(frames: StudyFrames, search: str) -> bool:
    """Whether a search is a line; one of UW-SO is, with any strategy."""
    kind = None if is_asked_about(frames, search) else "line"
    return bool(own_points(frames, search, kind))


def _bill(frames: StudyFrames, search: str) -> Bill:
    runs = frames.runs_of(search)
    runs = runs[(runs["role"] == "search") & runs["planned"]]
    alone_s, time = float(runs["solo_cost_s"].sum()), epoch_times(frames).get(search)
    return Bill(
        search=search,
        title=title_of(frames, search),
        solo_s=alone_s,
        solo_interval=time.scaled(alone_s) if time else None,
        as_run_s=float(runs["method_cost_s"].sum()),
        finished=int(runs["state"].isin(RANKED).sum()),
        planned=len(runs),
        uncalibrated=int(uncalibrated(frames, runs).sum()),
    )


def uncalibrated(frames: StudyFrames, runs: pd.DataFrame) -> "pd.Series[bool]":
    """Whether a run in packs lacks a calibration, by row of `runs`.

    The database then takes its cost alone to be its cost as run. Two measurements do not agree to
    the last digits by chance, so equal costs give such runs away.
    """
    alone: Any = runs["solo_cost_s"]
    same = np.isclose(alone, runs["method_cost_s"], rtol=1e-12, atol=0.0)
    return pd.Series(frames.in_packs(runs) & (alone > 0) & same, index=runs.index, dtype=bool)


def _with_interval(bill: Bill) -> str:
    ends = bill.solo_interval
    reach = f" (95 % interval {_said(ends.low)} to {_said(ends.high)})" if ends else ""
    return f"{_said(bill.solo_s)}{reach}"


def _said(seconds: float) -> str:
    """Three digits that count; whole seconds, thousands apart, from 100 on."""
    return f"{seconds:.3g}" if seconds < 100 else f"{seconds:,.0f}"
