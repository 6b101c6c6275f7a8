"""Which methods are compared, on what basis, and the word that the interval gives."""

import copy
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import compare, load
from reports._spread import components_of
from reports.comparing.differences import Difference, difference
from reports.comparing.error_sources import error_sources
from reports.comparing.roles import is_tuned, reference_of, subject_of
from reports.frames import StudyFrames
from reports.inference import Estimate
from tests.unit.reports import synthetic

FRESH = (11, 12, 13, 14, 15)


def made(
    value: float, error: float, *, margin: float | None = 1.0, sign: float = 1.0
) -> Difference:
    estimate = Estimate(value=value, standard_error=error, df=6, n_seeds=3)
    return Difference(
        a="a",
        b="b",
        estimate=estimate,
        interval=estimate.interval(),
        basis="pooled",
        sign=sign,
        margin=margin,
    )


def with_spec(**changes: Any) -> StudyFrames:
    """The made-up study with another spec of its UW-SO search."""
    reader = synthetic.reader(epochs=3)
    spec = copy.deepcopy(reader.spec)
    next(part for part in spec["search"] if part["name"] == "uw-so").update(changes)
    reader.spec = spec
    return load(reader, synthetic.STUDY)


# -- the word -------------------------------------------------------------------------------


@given(st.floats(-5, 5), st.floats(0.01, 5), st.sampled_from([0.5, 1.0, 3.0]))
def test_the_word_is_what_the_whole_interval_says(
    value: float, error: float, margin: float
) -> None:
    found = made(value, error, margin=margin)
    assert found.interval is not None
    low, high = found.interval.low, found.interval.high
    if found.verdict == "better":
        assert high < 0
    elif found.verdict == "worse":
        assert low > 0
    elif found.verdict == "comparable":
        assert -margin <= low <= 0 <= high <= margin
    else:
        assert low <= 0 <= high
        assert max(-low, high) > margin


@given(st.floats(-5, 5), st.floats(0.01, 5))
def test_what_is_better_one_way_is_worse_the_other(value: float, error: float) -> None:
    turned = {"better": "worse", "worse": "better"}
    lower, higher = made(value, error), made(value, error, sign=-1.0)
    assert higher.verdict == turned.get(lower.verdict, lower.verdict)


@given(st.floats(-5, 5), st.floats(0.01, 5))
def test_so_many_seeds_do_decide(value: float, error: float) -> None:
    """If the difference and its spread stay what they are."""
    found = made(value, error)
    n_seeds = found.seeds_to_decide
    if found.verdict != "undecided":
        assert n_seeds is None
    elif n_seeds is not None:
        sd = found.estimate.seed_sd
        then = Estimate(
            value=value, standard_error=sd / math.sqrt(n_seeds), df=n_seeds - 1, n_seeds=n_seeds
        )
        later = Difference(
            a="a",
            b="b",
            estimate=then,
            interval=then.interval(),
            basis="paired",
            sign=1.0,
            margin=found.margin,
        )
        assert then.interval().half_width <= max(abs(value), 1 - abs(value)) + 1e-9  # type: ignore[union-attr]
        assert later.verdict != "undecided" or abs(value) < 1e-9


def test_without_a_margin_nothing_is_comparable_and_nothing_matters() -> None:
    found = made(0.01, 0.1, margin=None)
    assert (found.verdict, found.matters) == ("undecided", None)
    assert made(1.0, 0.1, margin=None).verdict == "worse"


@pytest.mark.parametrize(
    ("value", "matters"), [(-3.0, True), (-0.5, False), (-1.0, None), (0.0, False)]
)
def test_a_difference_matters_only_if_all_of_it_is_beyond_the_margin(
    value: float, matters: bool | None
) -> None:
    assert made(value, 0.1).matters is matters


# -- who is compared ------------------------------------------------------------------------


def test_the_method_in_question_is_compared_with_stl_the_grid_and_the_others() -> None:
    comparison = compare(synthetic.frames())
    assert (comparison.subject, comparison.reference) == ("uw-so", "scalarization")
    assert [found.b for found in comparison.differences] == ["stl", "scalarization", "uw", "ew"]
    assert [found.n_compared for found in comparison.differences] == [1, 1, 2, 2]


def test_without_the_method_in_question_the_best_one_is_compared() -> None:
    frames = synthetic.frames()
    assert subject_of(frames, ["uw", "ew"]) == "uw"
    assert subject_of(frames, ["uw", "uw-so"]) == "uw-so"
    assert subject_of(frames, []) is None


def test_the_reference_is_the_largest_grid_over_weights_of_another_search() -> None:
    frames = synthetic.frames()
    assert reference_of(frames, "scalarization") is None
    assert reference_of(frames, "ew") == "scalarization"


def test_before_there_is_a_grid_the_spec_says_whose_it_will_be() -> None:
    reader = synthetic.reader(epochs=3)
    stages = reader.rows["stage_trials"]
    reader.rows["stage_trials"] = [row for row in stages if row["stage"] == 0]
    assert reference_of(load(reader, synthetic.STUDY), "uw-so") == "scalarization"


def test_a_method_that_can_still_change_is_not_compared() -> None:
    comparison = compare(synthetic.frames(unfinished=True))
    assert comparison.differences == ()
    assert "Undecided against" in comparison.sentence


def test_tuned_is_what_varies_more_than_learning_rate_and_weight_decay() -> None:
    frames = synthetic.frames()
    assert [is_tuned(frames, s) for s in ("ew", "uw", "uw-so", "scalarization")] == [
        False,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("stages", "tuned"),
    [
        ([{"lr": [0.1, 0.2], "weight_decay": [0.0, 1e-4]}], False),
        ([{"lr": [0.1, 0.2], "temperature": [5]}], False),
        ([{"lr": [0.1, 0.2], "temperature": [5, 6], "strategy": "random", "trials": 3}], True),
        ([{"lr": [0.1, 0.2], "strategy": "tpe", "trials": 3, "at": {"temperature": 1}}], False),
    ],
)
def test_the_spec_says_what_is_tuned(stages: list[dict[str, Any]], tuned: bool) -> None:
    assert is_tuned(with_spec(stages=stages), "uw-so") is tuned


# -- on what basis --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "basis", "n_seeds"),
    [
        ({}, "pooled", 3),
        ({"seeds": (1, 2, 3, 4, 5)}, "paired", 5),
        ({"confirm": FRESH}, "paired", 5),
        ({"seeds": (1,)}, "pooled", 1),
    ],
)
def test_a_difference_says_what_it_rests_on(
    changes: dict[str, Any], basis: str, n_seeds: int
) -> None:
    found = difference(synthetic.frames(**changes), "uw-so", "ew")
    assert found is not None
    assert (found.basis, found.estimate.n_seeds) == (basis, n_seeds)
    assert (found.interval is None) is (n_seeds == 1)


def test_one_confirmed_and_one_cross_fitted_value_have_no_seeds_in_common() -> None:
    reader = synthetic.reader(epochs=3, confirm=FRESH)
    last = [row for row in reader.rows["run_results"] if row["search"] == "ew"][-1]
    last |= {"state": "waiting", "delta_m_val": None, "delta_m_test": None}
    found = difference(load(reader, synthetic.STUDY), "uw-so", "ew")
    assert found is not None
    assert found.basis == "unpaired"
    assert found.interval is not None
    assert found.pairing is None


def test_both_ways_round_it_is_the_same_difference() -> None:
    frames = synthetic.frames()
    one, other = difference(frames, "uw-so", "ew"), difference(frames, "ew", "uw-so")
    assert one is not None
    assert other is not None
    assert one.value == pytest.approx(-other.value)
    assert one.resolution == pytest.approx(other.resolution)
    assert one.p_better == pytest.approx(1 - other.p_better)


def test_without_a_winner_there_is_no_difference() -> None:
    assert difference(synthetic.frames(empty=True), "uw-so", "ew") is None


def test_differences_are_json() -> None:
    for changes in ({}, {"seeds": (1,)}, {"confirm": FRESH}):
        plain = compare(synthetic.frames(**changes)).to_plain()
        read = json.loads(json.dumps(plain, allow_nan=False))
        assert [found["b"] for found in read["differences"]][:2] == ["stl", "scalarization"]


@pytest.mark.parametrize(
    ("seeds", "said"),
    [
        ((1, 2, 3), ("do not tell how far", "cannot decide below 6 seeds.")),
        ((1, 2, 3, 4), ("correlate at ", "cannot decide below 6 seeds.")),
        ((1, 2, 3, 4, 5, 6), ("correlate at ", "sign-flip test of their difference has p = ")),
    ],
)
def test_what_paired_seeds_buy_is_said(seeds: tuple[int, ...], said: tuple[str, ...]) -> None:
    told = compare(synthetic.frames(seeds=seeds)).error_sources[-1]
    assert f"{len(seeds)} common seeds" in told
    assert "UW-SO and Scalarization" in told
    assert all(part in told for part in said)


def test_the_layout_is_the_best_third_of_the_trials_and_at_least_four() -> None:
    for n_trials, wanted in ((3, 3), (4, 4), (12, 4), (13, 5), (42, 14)):
        values = [[float(i), float(i) + 1] for i in range(n_trials)]
        reader = synthetic.tabled(values, values, [("grid", tuple(range(n_trials)))])
        found = components_of(load(reader, "x"), "ew")
        assert found is not None
        assert found.n_trials == wanted
        assert found.seed_means == pytest.approx(((wanted - 1) / 2, (wanted + 1) / 2))


def test_without_a_trial_under_every_seed_there_is_no_layout() -> None:
    reader = synthetic.tabled([[None, 1.0]], [[0.0, 1.0]], [("grid", (0,))])
    assert components_of(load(reader, "x"), "ew") is None


# -- rows that mix --------------------------------------------------------------------------


def test_a_value_that_mixes_configurations_says_so_and_has_the_winners_own_beside_it() -> None:
    reader = synthetic.tabled(
        [[0.0, 9.0], [8.0, 0.0]], [[1.0, 3.0], [5.0, 1.0]], [("grid", (0, 1))]
    )
    (row,) = compare(load(reader, "x")).rows
    assert row.n_configurations == 2
    assert row.winner_value == pytest.approx((5.0 + 1.0) / 2)
    assert row.notes == (
        "its value mixes 2 configurations, as seeds choose for each other; the winner's own, on "
        "the seeds that chose it, is +3.00 %",
    )


def test_one_configuration_needs_no_remark() -> None:
    reader = synthetic.tabled(
        [[0.0, 0.0], [8.0, 9.0]], [[1.0, 3.0], [5.0, 1.0]], [("grid", (0, 1))]
    )
    (row,) = compare(load(reader, "x")).rows
    assert (row.n_configurations, row.notes) == (1, ())
    assert row.winner_value == row.value_test


# -- what intervals hold --------------------------------------------------------------------


def test_the_sources_of_error_are_said() -> None:
    said = " ".join(error_sources(synthetic.frames()))
    assert said.startswith("Intervals are 95 % over seeds, given the one split of the data.")
    assert "hold the seed error of the single-task networks, too." in said
    assert "2,000 test samples give each Δm a standard error of at least " in said


def test_one_seed_has_no_intervals() -> None:
    (said,) = error_sources(synthetic.frames(seeds=(1,)))
    assert said.endswith("no intervals.")
    assert all(row.interval is None for row in compare(synthetic.frames(seeds=(1,))).rows)


def test_imported_numbers_add_no_error_and_that_is_said() -> None:
    reader = synthetic.reader(epochs=3)
    own = compare(load(reader, synthetic.STUDY)).rows[1].interval
    for row in reader.rows["baseline_metrics"]:
        row["source"] = "imported"
    frames = load(reader, synthetic.STUDY)
    found = compare(frames).rows[1].interval
    assert own is not None
    assert found is not None
    assert found.half_width < own.half_width
    assert "The seed error of the single-task networks is not known" in error_sources(frames)[1]
