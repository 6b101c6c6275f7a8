"""Notes on values and their resolution fire where they must, and not elsewhere."""

import pytest

from tests.unit.reports import synthetic
from tests.unit.reports.noted import change_metrics, notes_of, sound
from tests.unit.reports.synthetic import FakeReader


def scatter(made: FakeReader, points: float) -> None:
    """Let seeds of every run differ by so many points of delta_m on test, trial by trial anew."""
    for row in made.rows["run_results"]:
        if row["state"] == "done" and row["role"] == "search":
            row["delta_m_test"] += points * (hash((row["trial"], row["seed"])) % 7 - 3)


def test_a_margin_finer_than_what_seeds_can_tell() -> None:
    made = sound()
    scatter(made, 2.0)
    made.spec["compare"]["margin"] = 1.0
    (note,) = notes_of(made, "margin below resolution")
    assert note.text.startswith("The margin is 1, and")
    assert "of 6 pairs more coarsely" in note.text


def test_a_margin_that_seeds_can_tell() -> None:
    made = sound()
    scatter(made, 2.0)
    made.spec["compare"]["margin"] = 100.0
    assert notes_of(made, "margin below resolution") == []


def test_one_seed_tells_nothing_of_the_margin() -> None:
    made = synthetic.reader(epochs=3, seeds=(1,))
    assert notes_of(made, "margin below resolution") == []


def test_another_objective_has_no_margin_in_points() -> None:
    made = synthetic.rank_by(synthetic.reader(epochs=3), "sum.mae")
    assert notes_of(made, "margin below resolution") == []


@pytest.mark.parametrize(
    ["values", "fires"],
    [
        ((10.0, 10.2, 13.0, 8.0), True),  # 3.0 of 5.2
        ((10.0, 11.0, 13.0, 8.0), False),  # 3.0 of 6.0
        ((10.0, 10.0, 10.2, 10.1), False),  # all of them within the margin
    ],
)
def test_one_metric_that_makes_up_most_of_delta_m(values: tuple[float, ...], fires: bool) -> None:
    made = sound()
    change_metrics(made, "uw-so", *values)
    notes = notes_of(made, "one metric")
    assert [n.search for n in notes] == [None] * fires
    assert all("error of task sum (UW-SO 58 %)" in note.text for note in notes)


def test_one_of_two_metrics_is_half_of_anything() -> None:
    made = sound()
    change_metrics(made, "uw-so", 10.0, 10.0, 13.0, 8.0)
    for task in made.card["tasks"]:
        task["metrics"] = [] if task["name"] == "right" else task["metrics"][:1]
    assert notes_of(made, "one metric") == []


def test_one_metric_of_many_is_no_finding_where_it_is_what_trials_are_ranked_by() -> None:
    made = synthetic.rank_by(synthetic.reader(epochs=3), "sum.mae")
    assert notes_of(made, "one metric") == []
