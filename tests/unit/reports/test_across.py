"""Several studies in one comparison: what is refused, what is listed, what is said."""

import json
import math
from typing import Any

import numpy as np
import pytest

from reports.across import compare_studies
from reports.across.methods import methods_of
from reports.across.one_setting import one_settings
from reports.across.standings import interquartile_mean
from reports.comparing.differences import difference
from reports.comparing.rows import method_row
from reports.errors import NotComparable
from reports.frames import load
from tests.unit.reports import synthetic
from tests.unit.reports.several import plain_study, study

METHODS = ("ew", "uw", "uw-so")


@pytest.fixture(scope="module")
def three() -> dict[str, Any]:
    """Two studies of one problem, and one of another."""
    return {
        "small": plain_study(),
        "large": study("one", better={"uw": 40.0}),
        "other": study("two", better={"ew": 40.0}),
    }


# -- what is refused -------------------------------------------------------------------------


def test_one_study_is_no_comparison(three: dict[str, Any]) -> None:
    with pytest.raises(NotComparable, match="Got 1"):
        compare_studies({"small": three["small"]})


def test_a_study_is_not_compared_with_itself(three: dict[str, Any]) -> None:
    with pytest.raises(NotComparable, match="one and the same study"):
        compare_studies({"a": three["small"], "b": three["small"]})


def test_other_objectives_are_refused_with_what_each_is_ranked_by() -> None:
    by_metric = study("two", spec={"objective": "left.error"})
    with pytest.raises(NotComparable, match=r"a by Δm in % \(lower .*b by left.error"):
        compare_studies({"a": plain_study(), "b": by_metric})


def test_studies_without_a_common_method_are_refused() -> None:
    one = study(without=("uw", "uw-so", "scalarization"))
    other = study("two", without=("ew", "scalarization"))
    with pytest.raises(NotComparable, match="No method is in two of them: EW in a, UW in b, "):
        compare_studies({"a": one, "b": other})


# -- what is listed --------------------------------------------------------------------------


def test_nothing_is_listed_of_studies_that_differ_in_their_problem_only() -> None:
    assert compare_studies({"a": plain_study(), "b": plain_study("two")}).differing == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"spec": {"compare": {"margin": 0.5, "select_epoch": "best"}}},
            "Different is the margin ([compare] margin): 1.0 in a; 0.5 in b.",
        ),
        ({"seeds": (1, 2)}, "Different is the number of seeds: 3 in a; 2 in b."),
        (
            {"spec": {"training": {"epochs": 9, "batch_size": 128, "optimizer": "adam"}}},
            "Different is [training] epochs: 3 in a; 9 in b.",
        ),
        (
            {"spec": {"search": []}},
            "UW-SO is not tuned over the same values: 12 trials in a, 12 trials in b.",
        ),
        ({"without": ("uw", "scalarization")}, "UW is not in b."),
        (
            {"confirm": (11, 12)},
            "Different is what the value of EW rests on: cross-fit in a; confirmed in b.",
        ),
    ],
)
def test_what_sets_studies_apart_is_listed(changes: dict[str, Any], said: str) -> None:
    assert said in compare_studies({"a": plain_study(), "b": study("two", **changes)}).differing


def test_cards_of_one_name_with_other_data_are_listed(three: dict[str, Any]) -> None:
    other = study("one")
    other.card["sizes"]["test"] = 7  # type: ignore[index]
    found = compare_studies({"a": three["small"], "b": other}).differing
    assert found == ("Tasks, metrics or data of the problem one are not the same in a and b.",)


# -- numbers ---------------------------------------------------------------------------------


def test_values_are_those_of_each_study(three: dict[str, Any]) -> None:
    for method in compare_studies(three).methods:
        for label, result in method.results.items():
            assert result.row == method_row(three[label], method.key)


def test_studies_of_one_problem_count_as_one_between_them(three: dict[str, Any]) -> None:
    values = {
        label: [method_row(frames, search).value_test for search in METHODS]
        for label, frames in three.items()
    }
    by_study = {label: np.argsort(np.argsort(row)) + 1 for label, row in values.items()}
    expected = ((by_study["small"] + by_study["large"]) / 2 + by_study["other"]) / 2
    means = (np.add(values["small"], values["large"]) / 2 + values["other"]) / 2
    ranking = compare_studies(three).ranking
    assert ranking is not None and ranking.n_problems == 2
    found = {standing.method.key: standing for standing in ranking.standings}
    for at, search in enumerate(METHODS):
        assert found[search].mean_rank == pytest.approx(expected[at])
        assert found[search].estimate.value == pytest.approx(means[at])


def test_a_profile_counts_problems_in_which_a_method_is_near_the_best(
    three: dict[str, Any],
) -> None:
    ranking = compare_studies(three).ranking
    assert ranking is not None
    found = {standing.method.key: standing for standing in ranking.standings}
    assert sum(standing.best for standing in found.values()) == pytest.approx(1.0)
    assert (found["uw"].best, found["ew"].best) == (0.25, 0.5)
    assert found["ew"].gaps["other"] == 0.0
    assert all(standing.near >= standing.best for standing in found.values())


def test_differences_are_means_over_problems(three: dict[str, Any]) -> None:
    found = compare_studies(three).differences
    assert {one.mean.a for one in found} == {"uw-so"}
    against = next(one for one in found if one.mean.b == "ew")
    gaps = {label: difference(frames, "uw-so", "ew") for label, frames in three.items()}
    by_study = {label: one.value for label, one in gaps.items() if one}
    small_and_large = (by_study["small"] + by_study["large"]) / 2
    assert against.mean.value == pytest.approx((small_and_large + by_study["other"]) / 2)
    assert against.mean.estimate.df == 1  # two problems
    assert against.mean.n_compared == 2
    shares = {label: one.p_better for label, one in gaps.items() if one}
    assert against.mean.p_better == pytest.approx(
        ((shares["small"] + shares["large"]) / 2 + shares["other"]) / 2
    )


def test_the_middle_half_needs_eight_values() -> None:
    assert math.isnan(interquartile_mean([1.0] * 7))
    assert interquartile_mean([-90.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, math.inf]) == 2.5


def test_all_of_it_is_json(three: dict[str, Any]) -> None:
    plain = compare_studies(three).to_plain()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain


# -- one setting for all ------------------------------------------------------------------------


def test_a_setting_is_chosen_by_the_other_studies_and_scored_on_this_one() -> None:
    validation = {"a": [[1.0, 1.0], [5.0, 5.0]], "b": [[9.0, 9.0], [2.0, 2.0]]}
    test = {"a": [[10.0, 20.0], [30.0, 50.0]], "b": [[60.0, 80.0], [7.0, 9.0]]}
    studies = {}
    for label, values in validation.items():
        made = synthetic.tabled(values, test[label], [("grid", (0, 1))])
        made.card["name"] = label
        studies[label] = load(made, "x")
    methods = methods_of(studies)
    (found,) = one_settings(studies, methods, {"a": ["a"], "b": ["b"]})
    told = {label: (one.params["lr"], one.value) for label, one in found.by_study.items()}
    assert told == {"a": (0.002, 40.0), "b": (0.001, 70.0)}
    tuned = {label: methods[0].results[label].row.value_test for label in "ab"}
    assert found.price == pytest.approx(((40.0 - tuned["a"]) + (70.0 - tuned["b"])) / 2)
    assert found.n_common == 2


def test_with_several_methods_the_best_of_all_is_told_without_a_price(
    three: dict[str, Any],
) -> None:
    *rows, best = compare_studies(three).one_setting
    assert {row.title for row in rows} == {"EW", "UW", "UW-SO"}
    assert best.title == "best of all methods"
    assert math.isnan(best.price) and best.interval is None


# -- words -----------------------------------------------------------------------------------


def test_one_problem_says_nothing_of_others(three: dict[str, Any]) -> None:
    found = compare_studies({label: three[label] for label in ("small", "large")})
    assert "over 1 problem tell nothing, whatever the results" in found.sentence
    assert "one problem has no spread from problem to problem" in found.sentence
    assert {one.mean.verdict for one in found.differences} == {"undecided"}


def test_few_problems_tell_nothing(three: dict[str, Any]) -> None:
    sentence = compare_studies(three).sentence
    assert "Mean ranks of 3 methods over 2 problems tell nothing" in sentence
    assert "they must lie 2.3 apart, where 2 is the most there can be" in sentence


def test_many_problems_tell_the_first_from_the_last() -> None:
    better = {"uw-so": 40.0, "ew": 20.0}
    found = compare_studies({f"s{k}": study(f"p{k}", better=better) for k in range(5)})
    assert found.ranking is not None
    told = [(one.method.key, other.method.key) for one, other in found.ranking.apart]
    assert told == [("uw-so", "uw")]
    assert "Told apart are UW-SO (1.0) from UW (3.0); all else is undecided." in found.sentence


def test_a_method_with_outstanding_runs_is_shown_and_not_ranked() -> None:
    found = compare_studies({"a": plain_study(), "b": study("two", unfinished=True)})
    assert found.ranking is not None
    assert {standing.method.key for standing in found.ranking.standings} == {"ew", "uw"}
    assert {method.key for method in found.methods} == set(METHODS)


def test_a_study_without_values_is_told_and_does_not_count() -> None:
    found = compare_studies(
        {"a": plain_study(), "b": plain_study("two"), "c": study("three", empty=True)}
    )
    assert found.sentence.startswith("No method has a final value yet in c. 3 methods over 2 ")
    assert [one.counts for one in found.studies] == [True, True, False]


def test_two_studies_one_of_them_empty_decide_nothing() -> None:
    found = compare_studies({"a": plain_study(), "b": study("two", empty=True)})
    assert found.ranking is None and found.differences == ()
    assert "nothing can be said over studies" in found.sentence


def test_a_sealed_study_shows_no_value_and_does_not_count() -> None:
    found = compare_studies(
        {"a": plain_study(), "b": plain_study("two"), "c": study("three", sealed=True)}
    )
    assert found.sentence.startswith("c is sealed: no test value of it is shown")
    sealed = [method["by_study"]["c"] for method in found.to_plain()["methods"]]
    assert {(one["value_test"], one["low"], one["final"]) for one in sealed} == {
        (None, None, False)
    }
    assert [one.counts for one in found.studies] == [True, True, False]
