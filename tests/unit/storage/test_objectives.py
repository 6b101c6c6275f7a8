"""What trials can be ranked by, and that another number is a file and nothing else."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

import storage.objectives
from storage.objectives import known

METRICS = [("left", "error", "min"), ("left", "auc", "max"), ("right", "error", "min")]
CURVES = {
    ("left", "error"): [0.4, 0.2],
    ("left", "auc"): [0.5, 0.75],
    ("right", "error"): [0.1, 0.3],
    ("left", "loss"): [9.0],  # of no objective, and shorter
}
BASE = {("left", "error"): 0.2, ("left", "auc"): 0.5, ("right", "error"): 0.2}

WORST = '''
"""The worst relative change of all metrics, in percent."""

from storage.objectives import Objective
from storage.objectives.delta_m import delta_m


def objectives(metrics):
    return [
        Objective(
            name="worst_change",
            direction="min",
            metrics=tuple(metrics),
            of_epoch=_worst,
            needs_baseline=True,
            unit="%",
        )
    ]


def _worst(values, baseline, directions):
    return max(
        delta_m([value], [base], [direction])
        for value, base, direction in zip(values, baseline, directions, strict=True)
    )
'''


def test_delta_m_and_each_metric_are_known_by_name() -> None:
    assert list(known(METRICS)) == ["delta_m", "left.error", "left.auc", "right.error"]


def test_the_only_metric_of_all_is_known_by_its_name_alone() -> None:
    assert list(known([("train", "loss", "max")])) == ["delta_m", "loss"]


@pytest.mark.parametrize(
    ("name", "direction", "values"),
    [
        ("delta_m", "min", [50 / 3, 0.0]),  # +100, 0, -50 %; 0, -50, +50 %
        ("left.error", "min", [0.4, 0.2]),
        ("left.auc", "max", [0.5, 0.75]),
    ],
)
def test_a_curve_by_hand(name: str, direction: str, values: list[float]) -> None:
    objective = known(METRICS)[name]
    assert objective.direction == direction
    assert objective.curve(CURVES, BASE) == pytest.approx(values, abs=1e-12)


@pytest.mark.parametrize("name", ["left.error", "left.auc", "right.error"])
def test_a_metric_needs_no_baseline(name: str) -> None:
    objective = known(METRICS)[name]
    assert not objective.needs_baseline
    assert objective.curve(CURVES) == objective.curve(CURVES, BASE)


def test_delta_m_needs_one() -> None:
    assert known(METRICS)["delta_m"].needs_baseline
    with pytest.raises(ValueError, match="zip"):
        known(METRICS)["delta_m"].curve(CURVES)


@pytest.mark.parametrize("name", list(known(METRICS)))
def test_by_its_sign_lower_is_better(name: str) -> None:
    objective = known(METRICS)[name]
    better = min if objective.direction == "min" else max
    values = [0.25, -0.5, 0.0]
    assert min(values, key=lambda value: objective.sign * value) == better(values)


@pytest.mark.parametrize("name", list(known(METRICS)))
def test_trials_are_chosen_on_validation(name: str) -> None:
    assert known(METRICS)[name].split == "validation"


def test_another_number_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "worst_change.py").write_text(textwrap.dedent(WORST))
    monkeypatch.setattr(
        storage.objectives, "__path__", [*storage.objectives.__path__, str(tmp_path)]
    )
    worst = known(METRICS)["worst_change"]
    assert worst.curve(CURVES, BASE) == pytest.approx([100.0, 50.0])
