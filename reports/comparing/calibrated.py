"""Which runs have a cost alone that was measured, and not only taken to be that in the pack."""

from typing import Any

import numpy as np
import pandas as pd

from reports.frames import StudyFrames


def uncalibrated(frames: StudyFrames, runs: pd.DataFrame) -> "pd.Series[bool]":
    """Whether a run in packs lacks a calibration, by row of `runs`.

    The database then takes its cost alone to be its cost as run. Two measurements do not agree to
    the last digits by chance, so equal costs give such runs away.
    """
    alone: Any = runs["solo_cost_s"]
    same = np.isclose(alone, runs["method_cost_s"], rtol=1e-12, atol=0.0)
    return pd.Series(frames.packed & (alone > 0) & same, index=runs.index, dtype=bool)
