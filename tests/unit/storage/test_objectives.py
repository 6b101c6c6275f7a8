"""What trials can be ranked by, and that another number is a file and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

import storage.objectives
from reports import compare, load
from storage import Reader, Storage
from storage.objectives import honest_metrics, known, of_card
from tests.unit.study.fake_trainer import FakeStudy
from tests.unit.study.specs import a_plan

METRICS = [("left", "error", "min"), ("left", "auc", "max"), ("right", "error", "min")]
CURVES = {
    ("left", "error"): [0.4, 0.2],
    ("left", "auc"): [0.5, 0.75],
    ("right", "error"): [0.1, 0.3],
    ("left", "loss"): [9.0],  # of no objective, and shorter
}
BASE = {("left", "error"): 0.2, ("left", "auc"): 0.5, ("right", "error"): 0.2}

OWN = Path(__file__).parent / "own_objectives"
SHIPPED = ("delta_m", "left.error", "left.auc", "right.error")


def test_delta_m_and_each_metric_are_known_by_name() -> None:
    found = list(known(METRICS))
    assert [name for name in found if name in SHIPPED] == list(SHIPPED)


def test_the_only_metric_of_all_is_known_by_its_name_alone() -> None:
    found = known([("train", "loss", "max")])
    assert "loss" in found
    assert "train.loss" not in found


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


class TestOneFileMore:
    """Another number to rank by is a file beside the others; no other is touched."""

    @pytest.fixture(autouse=True)
    def beside_the_others(self, monkeypatch: pytest.MonkeyPatch) -> None:
        places = [*storage.objectives.__path__, str(OWN)]
        monkeypatch.setattr(storage.objectives, "__path__", places)

    def test_it_is_known_by_its_name(self) -> None:
        worst = known(METRICS)["worst_change"]
        assert worst.curve(CURVES, BASE) == pytest.approx([100.0, 50.0])

    def test_a_study_is_ranked_by_it_from_the_spec_to_the_comparison(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path / 'w.db'}"
        study = FakeStudy(a_plan(objective="worst_change"), Storage(url)).run()
        assert study.conductor.finished
        study.storage.close()
        reader = Reader(url)
        frames = load(reader, study.plan.spec.name)
        decided = frames.decisions.set_index("search")
        assert decided.loc["ew", "objective"] == "worst_change"
        assert decided.loc["ew", "baseline_hash"]
        stl, ew = compare(frames).rows
        assert (stl.value_test, compare(frames).objective.name) == (0.0, "worst_change")
        assert ew.value_test >= ew.delta_m_test, "the worst change is no better than the mean one"
        assert "test worst_change of " in compare(frames).sentence
        reader.close()


class TestOfACard:
    CARD: ClassVar[dict[str, Any]] = {
        "tasks": [
            {
                "name": "left",
                "metrics": [
                    {"name": "error", "direction": "min"},
                    {"name": "found", "direction": "max", "uses_truth": True},
                ],
            }
        ]
    }

    def test_what_uses_hidden_truth_says_so_in_its_title(self) -> None:
        found = of_card(self.CARD)
        assert found["left.found"].uses_truth
        assert found["left.found"].title == "left.found (oracle)"
        assert not found["left.error"].uses_truth

    def test_delta_m_is_made_of_metrics_without_it(self) -> None:
        assert of_card(self.CARD)["delta_m"].metrics == (("left", "error", "min"),)
        assert honest_metrics(self.CARD) == [("left", "error", "min")]

    def test_a_trainers_objectives_have_names_of_their_own(self) -> None:
        named = [
            {"name": "val_error", "metric": "error", "uses_truth": False, "title": "error"},
            {"name": "truly", "metric": "found", "uses_truth": True, "title": ""},
        ]
        found = of_card({**self.CARD, "objectives": named})
        assert {name: one.title for name, one in found.items()} == {
            "val_error": "error",
            "truly": "truly (oracle)",
        }
        assert found["truly"].metrics == (("left", "found", "max"),)

    def test_a_card_that_says_too_little_has_none(self) -> None:
        assert of_card({"tasks": [{"name": "left"}]}).keys() <= {"delta_m"}
