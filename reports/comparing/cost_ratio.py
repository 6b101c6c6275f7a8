"""What one search has cost of another, each run alone, as sure as steps were timed."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from reports.frames import StudyFrames, trained_epochs
from reports.timings import StepRatio, step_ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRatio:
    """Costs of the whole searches, runs on fresh seeds left out.

    Attributes:
        alone: In device-seconds, as if each run had been trained alone.
        as_run: In device-seconds as it was run.
        epochs: In epochs.
        packed: Whether runs share packs, so that `alone` rests on timed steps.
        steps: How the time of an epoch of both compares; None if it was not timed.
    """

    alone: float
    as_run: float
    epochs: float
    packed: bool
    steps: StepRatio | None

    def in_words(self, other: str) -> str:
        """What follows ``it took``, without a full stop; `other` is the title of the other one."""
        share = f"{100 * self.alone:.0f} % of the device-seconds of {other}"
        if not self.packed:
            return share
        as_run = f"{100 * self.as_run:.0f} % as run"
        if self.steps is None:
            return (
                f"{100 * self.epochs:.0f} % of the epochs of {other} ({as_run}): what a step of "
                "each takes alone was not timed"
            )
        ends = self.steps.scaled(self.alone)
        reach = f"95 % interval {100 * ends.low:.0f} to {100 * ends.high:.0f}"
        said = f"{share}, each run alone ({reach}; {as_run})"
        if self.steps.told_apart:
            return said
        low, high = self.steps.interval.low, self.steps.interval.high
        return (
            f"{said}: a ratio of runs, as far as timing tells, for a step takes {low:.2f} to "
            f"{high:.2f} times as long"
        )

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        steps = self.steps
        ends = None if steps is None else steps.scaled(self.alone)
        return {
            "alone": self.alone,
            "low": ends and ends.low,
            "high": ends and ends.high,
            "as_run": self.as_run,
            "epochs": self.epochs,
            "step_ratio": steps and steps.value,
            "step_ratio_low": steps and steps.interval.low,
            "step_ratio_high": steps and steps.interval.high,
            "n_sweeps": steps.n if steps else 0,
        }


def cost_ratio(frames: StudyFrames, search: str | None, other: str | None) -> CostRatio | None:
    """Compare two searches; None if one is missing, both are one, or a cost is not known."""
    if search is None or other is None or search == other:
        return None
    mine, theirs = (_costs(frames, name) for name in (search, other))
    if not (mine > 0).all() or not (theirs > 0).all():
        return None
    alone, as_run, epochs = (mine / theirs).tolist()
    return CostRatio(
        alone=alone,
        as_run=as_run,
        epochs=epochs,
        packed=frames.packed,
        steps=step_ratio(frames, search, other),
    )


def _costs(frames: StudyFrames, search: str) -> "pd.Series[float]":
    """Device-seconds alone and as run, and epochs."""
    runs = frames.runs_of(search)
    runs = runs[(runs["role"] == "search") & runs["planned"]]
    sums = runs[["solo_cost_s", "method_cost_s"]].sum()
    return pd.Series([*sums, float(trained_epochs(runs).sum())], dtype=float)
