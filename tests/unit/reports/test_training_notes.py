"""Notes on how far methods and baseline were trained fire where they must, and not elsewhere."""

from typing import Any

import pytest

from tests.unit.reports.noted import notes_of, runs_of, sound


@pytest.mark.parametrize(["epoch", "fires"], [(11, True), (10, False)])
def test_undertrained(epoch: int, fires: bool) -> None:
    made = sound()
    for row in runs_of(made, "uw-so"):
        row["epoch_selected"] = epoch
    assert [note.search for note in notes_of(made, "undertrained")] == ["uw-so"] * fires


def test_the_last_epoch_is_no_finding_if_it_is_the_rule() -> None:
    made = sound()
    made.spec["compare"]["select_epoch"] = "last"
    for row in made.rows["run_results"]:
        row["epoch_selected"] = None if row["state"] == "diverged" else 12
    assert notes_of(made, "undertrained") == []


@pytest.mark.parametrize(["epoch", "fires"], [(11, True), (10, False)])
def test_a_baseline_that_was_still_improving(epoch: int, fires: bool) -> None:
    made = sound()
    for row in runs_of(made, "stl/sum"):
        row["epoch_selected"] = epoch
    assert [n.search for n in notes_of(made, "baseline undertrained")] == ["stl/sum"] * fires


def test_only_the_rate_that_makes_the_baseline_counts() -> None:
    made = sound()
    chosen = {row["trial"] for row in made.rows["baseline_metrics"] if row["task"] == "sum"}
    for row in runs_of(made, "stl/sum"):
        row["epoch_selected"] = 1 if row["trial"] in chosen else 12
    assert notes_of(made, "baseline undertrained") == []


@pytest.mark.parametrize(
    ["schedule", "fires"],
    [
        ("constant", True),
        ("cosine", False),
        ({"step": 6, "gamma": 0.5}, False),
        ({"step": 12, "gamma": 0.5}, True),  # the cut comes after the end
        ({"step": 6, "gamma": 1.0}, True),
    ],
)
def test_late_best_epochs_mean_nothing_while_the_rate_falls(schedule: Any, fires: bool) -> None:
    made = sound()
    made.spec["training"]["schedule"] = schedule
    for row in made.rows["run_results"]:
        row["epoch_selected"] = None if row["state"] == "diverged" else 12
    assert bool(notes_of(made, "undertrained")) == fires
    assert bool(notes_of(made, "baseline undertrained")) == fires
