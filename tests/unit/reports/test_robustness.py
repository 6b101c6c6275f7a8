"""Who is ahead in other readings of the same runs."""

import math

import pytest

from reports import compare, load
from reports.comparing.robustness import Reading, Robustness, robustness
from tests.unit.reports import synthetic
from tests.unit.reports.noted import change_metrics, runs_of
from tests.unit.reports.synthetic import FakeReader

EQUAL = (0.0, 0.0, 0.0, 0.0)


def a_study(**points: tuple[float, float, float, float]) -> FakeReader:
    """Methods end with these percents of each metric above 10, which is the baseline.

    A metric of which higher is better gets lower, so that more is worse throughout.
    """
    made = synthetic.reader(epochs=3)
    made.rows["epoch_metrics"] = []
    for search in ("ew", "uw", "uw-so", "scalarization"):
        mine = points.get(search.replace("-", "_"), (90.0, 90.0, 90.0, 90.0))
        signs = (sign for *_, sign in synthetic.METRICS)
        values = [10.0 + sign * 0.1 * p for p, sign in zip(mine, signs, strict=True)]
        change_metrics(made, search, *values)
        for row in runs_of(made, search):
            if row["state"] == "done":
                row["delta_m_test"] = sum(mine) / 4
    return made


def read(made: FakeReader) -> Robustness:
    frames = load(made, "x")
    found = robustness(frames, frames.searches)
    assert found is not None
    return found


def by_name(found: Robustness) -> dict[str, Reading]:
    return {reading.name: reading for reading in found.readings}


def test_tasks_of_many_metrics_count_more_by_metrics_than_by_tasks() -> None:
    """The task `sum` has two of the four metrics."""
    found = by_name(read(a_study(ew=(4.0, 4.0, 0.0, 0.0), uw=(0.0, 0.0, 5.0, 5.0))))
    assert found["mean over metrics"].ahead == ("EW",)
    assert found["mean over metrics"].value == pytest.approx(2.0)
    assert found["mean over tasks"].ahead == ("UW",)
    assert found["mean over tasks"].value == pytest.approx(5 / 3)


def test_the_worst_task_is_that_of_the_largest_mean() -> None:
    found = by_name(read(a_study(ew=(6.0, 0.0, 0.0, 0.0), uw=(2.0, 2.0, 2.0, 2.0))))
    assert found["mean over metrics"].ahead == ("EW",)
    reading = found["worst task"]
    assert (reading.ahead, reading.value) == (("UW",), pytest.approx(2.0))
    assert (reading.next, reading.next_value) == (("EW",), pytest.approx(6.0))


def test_without_the_metric_that_made_it_another_one_is_ahead() -> None:
    found = by_name(read(a_study(ew=(-9.0, 3.0, 3.0, 3.0), uw=(1.0, 1.0, 1.0, 1.0))))
    assert found["mean over metrics"].ahead == ("EW",)
    assert found["mean without error rate of left"].ahead == ("UW",)
    assert found["mean without error rate of right"].ahead == ("EW",)


def test_ranks_do_not_see_how_much_and_hang_on_who_takes_part() -> None:
    """EW is first by three metrics and last by one: how bad that is depends on who is between."""
    made = a_study(
        uw=(1.0, 1.0, 1.0, 1.0),
        ew=(0.0, 0.0, 0.0, 9.0),
        uw_so=(50.0, 50.0, 50.0, 8.0),
        scalarization=(60.0, 60.0, 60.0, 8.5),
    )
    found = by_name(read(made))
    assert found["mean over metrics"].ahead == ("UW",)
    assert set(found["mean rank over metrics"].ahead) == {"UW", "EW"}
    assert found["mean rank over metrics"].value == pytest.approx(7 / 4)
    assert found["mean rank without any one other method"].ahead == ("EW", "UW")


def test_equal_methods_are_ahead_together_and_neither_alone() -> None:
    found = read(a_study(ew=EQUAL, uw=EQUAL))
    assert found.readings[0].ahead == ("EW", "UW")
    assert found.n_ahead == 0


def test_the_sentence_counts_readings_and_says_what_being_ahead_is_worth() -> None:
    made = a_study(ew=EQUAL, uw=(0.4, 0.4, 0.4, -0.4))
    for row in runs_of(made, "uw"):
        if row["state"] == "done":
            row["delta_m_test"] += row["seed"] - 2
    found = read(made)
    assert found.n_ahead < len(found.readings)
    assert found.sentence.startswith(
        f"EW has the best value, and is ahead in {found.n_ahead} of {len(found.readings)} readings "
        "of the same runs (UW in "
    )
    assert found.sentence.endswith("Being ahead is no verdict: it is undecided against UW.")


def test_a_winner_that_is_told_from_all_is_better_than_each() -> None:
    found = read(a_study(ew=EQUAL))
    assert found.sentence.endswith("It is better than each other method (95 %, after Holm).")


def test_without_a_seed_those_left_choose_anew() -> None:
    """With all seeds, the first one has trial 1 chosen for it; without the last, trial 0."""
    validation = [[0.0, 0.0, 9.0], [1.0, 1.0, 1.0]]
    test = [[10.0, 20.0, 30.0], [50.0, 60.0, 70.0]]
    made = synthetic.tabled(validation, test, [("grid", (0, 1))])
    other = synthetic.tabled([[99.0] * 3], [[99.0] * 3], [("grid", (0,))])
    for view in ("run_results", "stage_trials"):
        made.rows[view] += [
            row | {"search": "uw", "weighting": "uw", "run": 100 + row.get("run", 0)}
            for row in other.rows[view]
        ]
    found = by_name(read(made))
    assert found["mean over metrics"].value == pytest.approx((50.0 + 60.0 + 30.0) / 3)
    assert found["mean without seed 2"].value == pytest.approx((10.0 + 20.0) / 2)


def test_two_seeds_are_too_few_to_leave_one_out() -> None:
    frames = synthetic.frames(seeds=(1, 2), epochs=3)
    found = robustness(frames, frames.searches)
    assert found is not None
    assert not [reading for reading in found.readings if "seed" in reading.name]


def test_one_method_is_ahead_of_nobody() -> None:
    assert robustness(synthetic.frames(epochs=3), ["ew"]) is None


def test_by_another_objective_the_mean_over_metrics_is_one_of_the_other_readings() -> None:
    made = synthetic.rank_by(synthetic.reader(epochs=3), "sum.mae")
    found = read(made)
    assert [reading.name for reading in found.readings][:2] == ["sum.mae", "mean over metrics"]
    assert {reading.scale for reading in found.readings} == {"objective", "delta_m", "rank"}


def test_without_a_baseline_ranks_and_seeds_are_left() -> None:
    made = synthetic.rank_by(synthetic.reader(epochs=3), "sum.mae", baseline=False)
    assert {reading.scale for reading in read(made).readings} == {"objective", "rank"}


def test_confirmed_values_are_read_without_a_fresh_seed() -> None:
    frames = synthetic.frames(epochs=3, confirm=(11, 12, 13))
    found = robustness(frames, frames.searches)
    assert found is not None
    names = [reading.name for reading in found.readings]
    assert "mean without seed 12" in names


def test_a_method_that_diverged_takes_no_part() -> None:
    made = synthetic.reader(epochs=3, confirm=(11, 12))
    runs_of(made, "ew")[-1] |= {"state": "diverged", "delta_m_val": None, "delta_m_test": None}
    plain = compare(load(made, "x")).to_plain()["robustness"]
    assert plain["sentence"].startswith("Of 3 methods with a final value, ")
    assert "EW" not in str(plain)
    assert not [v for one in plain["readings"] for v in one.values() if v in (math.inf, math.nan)]
