"""Notes on winners at the edge of what was tried fire where they must, and not elsewhere."""

import json

import pytest

from tests.unit.reports import synthetic
from tests.unit.reports.noted import drop_trials, notes_of, runs_of, set_best, sound
from tests.unit.reports.synthetic import FakeReader


@pytest.mark.parametrize(["lr", "add"], [(3e-4, "smaller"), (1e-2, "larger")])
def test_a_learning_rate_on_an_edge(lr: float, add: str) -> None:
    made = sound()
    set_best(made, "ew", lr=lr)
    (note,) = notes_of(made, "learning rate edge")
    assert note.search == "ew"
    assert f"({lr:g})" in note.text
    assert f"Add a {add} value" in note.text


@pytest.mark.parametrize(["temperature", "add"], [(0.25, "smaller"), (16.0, "larger")])
def test_a_temperature_on_an_edge(temperature: float, add: str) -> None:
    made = sound()
    set_best(made, "uw-so", temperature=temperature)
    (note,) = notes_of(made, "temperature edge")
    assert f"Add a {add} value" in note.text


def record_weights(made: FakeReader, search: str, *by_epoch: tuple[float, ...]) -> None:
    made.rows["epoch_metrics"] += [
        {"study": synthetic.STUDY, "run": row["run"], "epoch": epoch, "split": "train"}
        | {"task": task, "metric": "weight", "value": weight}
        for row in runs_of(made, search)
        for epoch, weights in enumerate(by_epoch, start=1)
        for task, weight in zip(synthetic.TASKS, weights, strict=True)
    ]


@pytest.mark.parametrize(
    ["by_epoch", "equal"],
    [
        ([(0.338, 0.335, 0.327)], True),
        ([(1.014, 1.005, 0.981)], True),  # whatever they sum to
        ([(0.345, 0.335, 0.32)], False),
        ([(0.4, 0.3, 0.3), (0.27, 0.36, 0.37)], False),  # equal on average only
    ],
)
def test_weights_that_are_equal_at_the_largest_temperature(
    by_epoch: list[tuple[float, ...]], equal: bool
) -> None:
    made = sound()
    set_best(made, "uw-so", temperature=16.0)
    record_weights(made, "uw-so", *by_epoch)
    notes = notes_of(made, "equal weighting")
    assert [(note.search, note.about) for note in notes] == [("uw-so", "UW-SO")] * equal
    assert bool(notes_of(made, "temperature edge")) != equal


def test_equal_weights_of_a_grid_are_told_too() -> None:
    made = sound()
    record_weights(made, "scalarization", (0.33, 0.33, 0.34))
    (note,) = notes_of(made, "equal weighting")
    assert note.about == "Scalarization"


def test_equal_weights_of_methods_that_tune_none_are_no_finding() -> None:
    made = sound()
    record_weights(made, "ew", (1.0, 1.0, 1.0))
    record_weights(made, "uw", (1.0, 1.0, 1.0))
    assert notes_of(made, "equal weighting") == []


@pytest.mark.parametrize(
    ["best", "others", "fires"],
    [
        (1e-3, [0.0, 1e-4], True),
        (1e-4, [1e-3, 1e-2], True),
        (0.0, [1e-3, 1e-2], False),  # nothing lies below zero
        (1e-3, [0.0, 1e-2], False),
        (1e-3, [1e-3, 1e-3], False),  # not tuned
    ],
)
def test_a_weight_decay_on_an_edge(best: float, others: list[float], fires: bool) -> None:
    made = sound()
    for row in runs_of(made, "ew"):
        params = json.loads(row["params"])
        decay = best if params["lr"] == 3e-3 else others[row["trial"] % 2]
        row["params"] = json.dumps(params | {"weight_decay": decay})
    set_best(made, "ew", lr=3e-3)
    assert bool(notes_of(made, "weight decay edge")) == fires


@pytest.mark.parametrize("weights", [(0.1, 0.4, 0.5), (0.1, 0.1, 0.8)])
def test_task_weights_on_an_edge_name_the_next_step(weights: tuple[float, ...]) -> None:
    made = sound()
    set_best(made, "scalarization", task_weights=list(weights))
    (note,) = notes_of(made, "task weights edge")
    assert "left = 0.1" in note.text
    assert "simplex_step = 0.05" in note.text


def list_weights(made: FakeReader, best: int, *points: tuple[float, float, float]) -> None:
    """Let Scalarization have tried these points only, the best one by its place in the list."""
    rows = [row for row in runs_of(made, "scalarization") if row["trial"] < len(points)]
    others = [row for row in made.rows["run_results"] if row["search"] != "scalarization"]
    made.rows["run_results"] = others + rows
    for row in rows:
        weights = list(points[row["trial"]])
        row["params"] = json.dumps(json.loads(row["params"]) | {"task_weights": weights})
        row["delta_m_val"] = row["delta_m_test"] = 0.0 if row["trial"] == best else 9.0
    made.rows["stage_trials"] = [
        row | {"params_tuned": "task_weights"} for row in made.rows["stage_trials"]
    ]


def test_task_weights_off_a_grid_ask_for_more_points() -> None:
    made = sound()
    list_weights(made, 0, *((0.0123 + 0.01 * k, 0.4, 0.5877 - 0.01 * k) for k in range(9)))
    (note,) = notes_of(made, "task weights edge")
    assert note.text.endswith("(left = 0.0123, sum = 0.5877). Add points.")


BY_FACTORS = [
    (price / (price + 1 + table), 1 / (price + 1 + table), table / (price + 1 + table))
    for price in (1, 3, 9)
    for table in (0.25, 1, 4)
]


@pytest.mark.parametrize(("best", "found"), [(7, "left : right = 8.99"), (4, None)])
def test_ratios_of_points_by_factors(best: int, found: str | None) -> None:
    """The largest ratio is an edge, though no weight of that point is the smallest or largest."""
    made = sound()
    list_weights(made, best, *[tuple(round(w, 3) for w in point) for point in BY_FACTORS])
    notes = notes_of(made, "task weights edge")
    assert len(notes) == (found is not None)
    assert all(f"({found})" in note.text for note in notes)


def test_a_weight_of_zero_is_no_edge() -> None:
    made = sound()
    for row in runs_of(made, "scalarization"):
        params = json.loads(row["params"])
        if params["task_weights"] == [0.1, 0.1, 0.8]:
            row["params"] = json.dumps(params | {"task_weights": [0.0, 0.0, 1.0]})
    set_best(made, "scalarization", task_weights=[0.0, 0.0, 1.0])
    assert notes_of(made, "task weights edge") == []


def test_a_baseline_on_an_edge() -> None:
    made = sound()
    for row in made.rows["baseline_metrics"]:
        row["trial"] = 0 if row["task"] == "left" else 1
    assert [note.search for note in notes_of(made, "baseline edge")] == ["stl/left"]


def test_an_untuned_baseline() -> None:
    made = sound()
    for lr in (3e-4, 3e-3, 1e-2):
        drop_trials(made, "stl/sum", lr=lr)
    assert [note.search for note in notes_of(made, "baseline untuned")] == ["stl/sum"]
