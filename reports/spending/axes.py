"""The units that the cost of a search is told in, and what each run is charged in them (M7).

A run is charged for its start-ups and for the training and validation of the epochs that stand, and
for nothing that was lost with a worker. What the database counts by attempt alone (samples, FLOPs,
energy, money) follows the same rule: the part that belongs to what is charged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
import pandas as pd

from reports._once import once_per_study
from reports.errors import UnknownAxis
from reports.frames import StudyFrames, trained_epochs
from reports.measures import FloatArray, IntArray

CostAxis = Literal["solo_s", "as_run_s", "epochs", "samples", "flops", "runs", "energy_j", "money"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisWords:
    """How a unit of cost is written, and what a run is charged with in it.

    Attributes:
        label: On a button.
        title: On an axis.
        unit: Behind a number.
        charged: What a run is charged by: a column of ``run_results``, ``"epochs"`` that were
            trained, or ``"run"``, which is 1.
        per: The column of ``attempt_costs`` per whose sum the axis' own column there is counted,
            where that is known by attempt alone; else empty.
        missing: Why it may not be recorded, and what to do about it.
    """

    label: str
    title: str
    unit: str
    charged: str
    per: str = ""
    missing: str = ""


AXES: Final[Mapping[CostAxis, AxisWords]] = MappingProxyType(
    {
        "solo_s": AxisWords(
            label="Device time, each run alone",
            title="Device-seconds, each run alone",
            unit="device-seconds",
            charged="solo_cost_s",
        ),
        "as_run_s": AxisWords(
            label="Device time, as run",
            title="Device-seconds, as run",
            unit="device-seconds, as run",
            charged="method_cost_s",
        ),
        "epochs": AxisWords(
            label="Epochs",
            title="Epochs trained",
            unit="epochs",
            charged="epochs",
        ),
        "samples": AxisWords(
            label="Samples",
            title="Training samples",
            unit="samples",
            charged="epochs",
            per="epochs",  # an epoch of a run takes the same ones in every attempt
            missing="Runs must have trained an epoch.",
        ),
        "flops": AxisWords(
            label="FLOPs",
            title="FLOPs, evaluation included",
            unit="FLOPs",
            charged="epochs",
            per="epochs",
            missing="Runs must have trained an epoch of a network whose operations can be counted.",
        ),
        "runs": AxisWords(
            label="Runs",
            title="Runs (trials × seeds)",
            unit="runs",
            charged="run",
        ),
        "energy_j": AxisWords(
            label="Energy",
            title="Energy in joules, as run",
            unit="J",
            charged="method_cost_s",
            per="device_s",
            missing="Energy is measured where the worker may read its device's meter.",
        ),
        "money": AxisWords(
            label="Money",
            title="Money, as run",
            unit="of money",
            charged="method_cost_s",
            per="device_s",
            missing="Give a price to each device, `price_per_h` of [cost], before runs begin.",
        ),
    }
)


@once_per_study
def charges(frames: StudyFrames, axis: str) -> "pd.Series[float]":
    """What each run has been charged with so far, by run id; NaN where that is not recorded."""
    runs = frames.runs
    return pd.Series(
        _charged(frames, require_known(axis)), index=pd.Index(runs["run"].to_numpy(dtype=np.int64))
    )


def _charged(frames: StudyFrames, axis: CostAxis) -> FloatArray:
    """The same as an array, by row of the runs ``[n]``."""
    runs, words = frames.runs, AXES[axis]
    if words.charged == "run":
        return np.ones(len(runs))
    counted = trained_epochs(runs) if words.charged == "epochs" else runs[words.charged]
    charged: FloatArray = np.asarray(counted, dtype=np.float64)
    if not words.per:
        return charged
    return _part(_spent(frames, axis), charged, of=_spent(frames, words.per))


def trial_costs(frames: StudyFrames, runs: IntArray, axis: CostAxis) -> FloatArray:
    """What trials have cost over all their seeds, ``[N]``, from their run ids ``[N, S]``."""
    by_run = charges(frames, axis)
    at = by_run.index.get_indexer(pd.Index(runs.ravel()))
    costs: FloatArray = by_run.to_numpy(dtype=np.float64)[at].reshape(runs.shape).sum(axis=1)
    return costs


def axis_of_matches(frames: StudyFrames) -> CostAxis:
    """The unit that costs to match are told in.

    Where all runs in packs were charged one and the same time alone, it says what epochs do.
    """
    return "epochs" if frames.packed and frames.timings.empty else "solo_s"


def offered(frames: StudyFrames) -> tuple[CostAxis, ...]:
    """The units in which every search can be told, device time first.

    Device time as run is one of them only where runs shared packs: else it is that of runs alone.
    """
    return tuple(
        axis for axis in AXES if (frames.packed or axis != "as_run_s") and not _gap(frames, axis)
    )


def require_known(axis: str) -> CostAxis:
    """The unit of that name.

    Raises:
        UnknownAxis: There is none.
    """
    known = next((one for one in AXES if one == axis), None)
    if known is None:
        raise UnknownAxis(f"`axis` must be one of {', '.join(AXES)}. Got {axis!r}.")
    return known


def require(frames: StudyFrames, axis: str) -> CostAxis:
    """The unit of that name, if every search can be told in it.

    Raises:
        UnknownAxis: There is none of that name, or it was not recorded; says why.
    """
    known = require_known(axis)
    if gap := _gap(frames, known):
        raise UnknownAxis(
            f"The axis `{axis}` must be recorded for every run of every search. {gap} "
            f"{AXES[known].missing} Recorded here: {', '.join(offered(frames))}."
        )
    return known


def _gap(frames: StudyFrames, axis: CostAxis) -> str:
    """How many runs of searches lack this cost, as a sentence; empty if none does."""
    if not AXES[axis].per:
        return ""
    begun = frames.runs.loc[
        (frames.runs["role"] == "search")
        & frames.runs["planned"]
        & (frames.runs["method_cost_s"] > 0),
        "run",
    ]
    missing = int(charges(frames, axis).loc[begun].isna().sum())
    if not missing:
        return ""
    return f"{missing:,} of {len(begun):,} runs have none."


@once_per_study
def _spent(frames: StudyFrames, column: str) -> FloatArray:
    """Sums over each run's attempts, by row of the runs ``[n]``.

    NaN where an attempt that took time has no value.
    """
    runs = pd.Index(frames.runs["run"].to_numpy(dtype=np.int64))
    table = frames.attempts
    at = runs.get_indexer(table["run"].fillna(-1).to_numpy(dtype=np.int64))
    values = table[column].to_numpy(dtype=np.float64, na_value=np.nan)
    idle = (table["device_s"] == 0).to_numpy()
    values = np.where(idle & np.isnan(values), 0.0, values)
    sums = np.bincount(at[at >= 0], weights=values[at >= 0], minlength=len(runs))
    return np.asarray(sums, dtype=np.float64)


def _part(spent: FloatArray, charged: FloatArray, *, of: FloatArray) -> FloatArray:
    """The part of what was spent that belongs to what is charged, ``[n]``; NaN if unknown."""
    rate = np.divide(spent, of, out=np.full(len(of), np.nan), where=(of > 0) & (spent > 0))
    return np.where(charged > 0, rate * charged, 0.0)
