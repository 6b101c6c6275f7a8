"""Fair-play notes on what the methods were charged."""

import math
from collections.abc import Iterator

import pandas as pd

from reports._digits import format_of
from reports._titles import title_of
from reports.comparing.break_even import uncalibrated
from reports.frames import StudyFrames
from reports.notes.note import Note
from reports.timings import EpochTime, epoch_times
from storage.wording import counted


def solo_equivalent(frames: StudyFrames) -> Iterator[Note]:
    """Runs were trained in packs: costs alone rest on a calibration; says what packs saved."""
    runs = frames.runs[frames.runs["planned"] & (frames.runs["role"] == "search")]
    spent = runs.groupby("search")[["method_cost_s", "solo_cost_s"]].sum()
    spent = spent[spent["solo_cost_s"] > 0]
    if not frames.packed or spent.empty:
        return
    as_run, alone = spent.sum()
    shares = spent["method_cost_s"] / spent["solo_cost_s"]
    low, high = str(shares.idxmin()), str(shares.idxmax())
    span = (
        f", from {100 * shares[low]:.0f} % ({title_of(frames, low)}) to {100 * shares[high]:.0f} % "
        f"({title_of(frames, high)})"
    )
    favours = ", which favours large grids" if _favours_large_grids(spent) else ""
    yield Note(
        kind="solo-equivalent cost",
        search=None,
        text=f"Runs were trained together in packs{favours}. Costs are therefore told as if each "
        f"run had been trained alone, by {_timings(frames)}. As "
        f"run, the searches took {100 * as_run / alone:.0f} % of that"
        f"{span if shares[low] < shares[high] else ''}.",
    )


def _timings(frames: StudyFrames) -> str:
    """What costs alone rest on, with its spread."""
    times = epoch_times(frames)
    timed = {search: times[search] for search in frames.searches if search in times}
    if not timed:
        return "a short calibration of the time that an epoch takes with equal weighting"
    low, high = (pick(timed, key=lambda name: timed[name].mean_s) for pick in (min, max))
    ends = [
        f"{_ms(timed[name])} of {title_of(frames, name)}" for name in dict.fromkeys((low, high))
    ]
    n = max(time.n for time in timed.values())
    return (
        f"the time that an epoch of each search takes alone (mean of {counted(n, 'timing')} with "
        f"its standard error: {' to '.join(ends)})"
    )


def _ms(time: EpochTime) -> str:
    ms, error = 1_000 * time.mean_s, 1_000 * time.error_s
    form = format_of([ms], [] if math.isnan(error) else [error])
    spread = "" if math.isnan(error) else f" ± {error:{form}}"
    return f"{ms:{form}}{spread} ms"


def _favours_large_grids(spent: pd.DataFrame) -> bool:
    """Whether packs saved a larger share of the dearest search than of the others together."""
    largest = spent.index == spent["solo_cost_s"].idxmax()
    grid, rest = spent[largest].sum(), spent[~largest].sum()
    as_run, alone = grid["method_cost_s"], grid["solo_cost_s"]
    return bool(as_run < alone and as_run * rest["solo_cost_s"] < rest["method_cost_s"] * alone)


def not_calibrated(frames: StudyFrames) -> Iterator[Note]:
    """Some runs in packs have no cost alone of their own."""
    runs = frames.runs[frames.runs["planned"]]
    without = int(uncalibrated(frames, runs).sum())
    if without:
        spent = int((runs["solo_cost_s"] > 0).sum())
        yield Note(
            kind="cost not calibrated",
            search=None,
            text=f"{without} of {spent} runs in packs have no calibration: their cost alone is "
            "taken to be their cost as run, which as a rule is too low.",
        )


def no_longer_planned(frames: StudyFrames) -> Iterator[Note]:
    """Runs that the spec has dropped have cost something that no method's cost shows."""
    dropped = frames.runs[~frames.runs["planned"] & (frames.runs["device_s"] > 0)]
    for search, rows in dropped.groupby("search", sort=False):
        yield Note(
            kind="no longer planned",
            search=str(search),
            text=f"No longer planned: {counted(len(rows), 'run')} of {search}. Their "
            f"{rows['device_s'].sum():.0f} device-seconds are in no method's cost.",
        )
