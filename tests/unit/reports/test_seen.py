"""What a report says under a figure of the study at hand."""

from __future__ import annotations

import numpy as np

from reports._ranking import number, objective_of
from reports.figures._trials import trials
from reports.html._seen import weights_seen
from tests.unit.reports import synthetic


def test_equal_weights_are_told_by_their_best_trial() -> None:
    """They were tried at several learning rates, of which the first one is far off."""
    frames = synthetic.frames(epochs=3)
    found = trials(frames, "scalarization")
    weights = found[[f"w_{task}" for task in frames.tasks]].to_numpy()
    values = found["val"][np.ptp(weights, axis=1) < 1e-9]
    assert len(values) > 1
    assert values.iloc[0] > values.min() + 1
    said = weights_seen(frames, "scalarization")
    best = number(objective_of(frames), float(values.min()))
    assert f"the one nearest to equal weights has Δm {best}" in said
