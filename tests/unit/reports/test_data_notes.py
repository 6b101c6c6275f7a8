"""Notes on data and metrics fire where they must, and not elsewhere."""

import pytest

from tests.unit.reports import synthetic
from tests.unit.reports.noted import notes_of, runs_of, sound
from tests.unit.reports.synthetic import FakeReader


def note_values(made: FakeReader, *rows: tuple[str, str, str, float]) -> None:
    """Record values of the first run of each search of a weighting."""
    for search in ("ew", "uw-so"):
        first = runs_of(made, search)[0]
        made.rows["epoch_metrics"] += [
            {"study": synthetic.STUDY, "run": first["run"], "epoch": first["epoch_selected"]}
            | {"split": split, "task": task, "metric": metric, "value": value}
            for split, task, metric, value in (rows if search == "uw-so" else ())
        ]


def test_losses_below_zero_are_told_with_method_and_task() -> None:
    made = sound()
    note_values(made, ("train", "sum", "not_positive_steps", 7.0))
    (note,) = notes_of(made, "losses not positive")
    steps = sum(row["grad_evals"] for row in runs_of(made, "uw-so"))
    assert (note.search, note.about) == ("uw-so", "UW-SO")
    assert f"that of task sum was not in 7 of {steps:,} training steps" in note.text


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_metric_that_was_negative_is_told(split: str) -> None:
    made = sound()
    note_values(made, (split, "sum", "mae", -0.117), (split, "sum", "loss", -3.0))
    (note,) = notes_of(made, "signed metric")
    assert "of task sum can be negative (down to -0.117 here): its zero is arbitrary" in note.text


def test_a_metric_that_can_be_negative_by_its_card_is_told() -> None:
    made = sound()
    made.card["tasks"][0]["metrics"][0]["signed"] = True
    (note,) = notes_of(made, "signed metric")
    assert "of task left can be negative: its zero" in note.text


def test_a_small_validation_split_says_how_many_points_it_costs() -> None:
    made = sound()
    made.card["sizes"]["validation"] = 900
    for row in made.rows["baseline_metrics"]:
        row["value"] = 10.0
    # se = sqrt(0.1 * 0.9 / 900) = 1 % of examples: a tenth of B, twice, over four metrics.
    (note,) = notes_of(made, "small validation")
    assert "at least 3.5 points" in note.text


def test_metrics_without_a_binomial_error_say_nothing() -> None:
    made = sound()
    made.card["sizes"]["validation"] = 10
    for task in made.card["tasks"]:
        for metric in task["metrics"]:
            metric |= {"name": "mae", "title": "mean absolute error"}
    assert notes_of(made, "small validation") == []


def test_the_caveats_of_the_data_are_told() -> None:
    made = sound()
    made.card["caveats"] = ["Labels are noisy."]
    assert [note.text for note in notes_of(made, "data")] == ["Labels are noisy."]


def test_few_distinct_samples_are_told_and_counted() -> None:
    made = sound()
    made.card["sizes"] |= {"validation": 200_000, "test": 500}
    made.card["distinct"] = {"validation": 900, "test": 500}
    for row in made.rows["baseline_metrics"]:
        row["value"] = 10.0
    (note,) = notes_of(made, "few distinct samples")
    assert "composes 200,000 validation samples of 900 distinct ones: errors" in note.text
    (note,) = notes_of(made, "small validation")
    assert note.text.startswith("900 distinct validation examples")


def test_samples_that_share_nothing_are_no_few_distinct_ones() -> None:
    made = sound()
    made.card["distinct"] = {"validation": 200_000}
    assert notes_of(made, "few distinct samples") == []
