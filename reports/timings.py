"""What an epoch of a search's runs takes alone, by repeated timing, and how sure that is."""

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from reports._once import once_per_study
from reports.frames import StudyFrames
from reports.inference import Interval
from reports.inference.estimates import LEVEL
from reports.inference.student import t_of
from reports.measures import FloatArray

_LARGEST_LOG = 300.0
"""Of a drawn ratio: far beyond all costs, and a product with one is still a finite number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochTime:
    """Time of one epoch of a search's runs, each alone.

    Attributes:
        mean_s: Mean within sweeps, at the mean level of its sweeps: what epochs are charged with.
        error_s: Standard error of a mean of all timings; NaN with one timing.
        n: Timings.
    """

    mean_s: float
    error_s: float
    n: int

    def scaled(self, value: float) -> Interval | None:
        """The 95 % interval of a cost that is this mean times a count; None with one timing."""
        if self.n < 2:
            return None
        half = t_of((1 + LEVEL) / 2, self.n - 1) * self.error_s * value / self.mean_s
        return Interval(low=value - half, high=value + half, df=float(self.n - 1))

    def draws(self, n: int, search: str) -> FloatArray:
        """Draws of the true mean divided by `mean_s`, ``[n]``; the same ones for a search."""
        rng = np.random.default_rng([3, zlib.crc32(search.encode())])
        return 1 + self.error_s / self.mean_s * rng.standard_t(self.n - 1, n)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRatio:
    """How many times as long an epoch of one search takes as one of another, both alone.

    Attributes:
        value: Geometric mean over sweeps, in which both were timed right after each other.
        interval: 95 % interval of it, by Student's t over sweeps of the logarithm.
        log_error: Standard error of the logarithm.
        n: Sweeps.
    """

    value: float
    interval: Interval
    log_error: float
    n: int

    @property
    def told_apart(self) -> bool:
        """Whether one of both takes longer, as far as timing tells."""
        return self.interval.excludes(1.0)

    def scaled(self, value: float) -> Interval:
        """The interval of a ratio of costs that rests on this one."""
        low, high = (value * end / self.value for end in (self.interval.low, self.interval.high))
        return Interval(low=low, high=high, df=self.interval.df)

    def draws(self, n: int) -> FloatArray:
        """Draws of the true ratio divided by `value`, ``[n]``; the same ones every time."""
        rng = np.random.default_rng(2)
        logs = self.log_error * rng.standard_t(self.n - 1, n)
        return np.exp(np.clip(logs, -_LARGEST_LOG, _LARGEST_LOG))  # tails of two sweeps have no end


@once_per_study
def epoch_times(frames: StudyFrames) -> Mapping[str, EpochTime]:
    """The time of an epoch by search, of those that were timed."""
    if frames.timings.empty:
        return {}
    timings = frames.timings.assign(level=_levels(frames.timings))
    timings["share"] = timings["epoch_s"] / timings["level"]
    found = timings.groupby("search").agg(
        share=("share", "mean"),
        level=("level", "mean"),
        sd=("epoch_s", "std"),
        n=("epoch_s", "size"),
    )
    return {
        str(search): EpochTime(
            mean_s=float(share * level), error_s=float(sd) / math.sqrt(n), n=int(n)
        )
        for search, share, level, sd, n in found.itertuples()
    }


def _levels(timings: pd.DataFrame) -> "pd.Series[float]":
    """What all searches of a timing's sweep take on average, by row."""
    return timings.groupby(["attempt", "sweep"])["epoch_s"].transform("mean")


@once_per_study
def step_ratio(frames: StudyFrames, search: str, other: str) -> StepRatio | None:
    """How an epoch of one search compares to one of another; None before two common sweeps."""
    timings = frames.timings[frames.timings["search"].isin((search, other))]
    if timings["search"].nunique() < 2:
        return None
    sweeps = timings.pivot_table(index=["attempt", "sweep"], columns="search", values="epoch_s")
    if sweeps.shape[1] < 2 or len(sweeps := sweeps.dropna()) < 2:
        return None
    logs = np.log(sweeps[search].to_numpy() / sweeps[other].to_numpy())
    n, mean, error = len(logs), float(logs.mean()), float(logs.std(ddof=1)) / math.sqrt(len(logs))
    half = t_of((1 + LEVEL) / 2, n - 1) * error
    ends = Interval(low=math.exp(mean - half), high=math.exp(mean + half), df=float(n - 1))
    return StepRatio(value=math.exp(mean), interval=ends, log_error=error, n=n)
