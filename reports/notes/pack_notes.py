"""Fair-play notes on runs that share packs: their cost is told as if each had been alone."""

from collections.abc import Iterator

from reports._titles import title_of
from reports.comparing.calibrated import uncalibrated
from reports.frames import StudyFrames
from reports.notes.note import Note


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
    yield Note(
        kind="solo-equivalent cost",
        search=None,
        text="Runs were trained together in packs, which favours large grids. Costs are therefore "
        "told as if each run had been trained alone, by a short calibration of the time that an "
        f"epoch takes. As run, the searches took {100 * as_run / alone:.0f} % of that"
        f"{span if shares[low] < shares[high] else ''}.",
    )


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
