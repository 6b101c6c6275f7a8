"""The sentences of a comparison: they say no more than the intervals do."""

import math
from collections.abc import Mapping
from typing import Any

import pytest

from reports.comparing.cost_ratio import CostRatio
from reports.comparing.differences import Difference, adjusted
from reports.comparing.headline import Contender, headline
from reports.inference import Estimate, Interval
from storage.objectives import known

DELTA_M = known([("left", "error", "min")])["delta_m"]
SUBJECT, REFERENCE = "uw-so", "scalarization"


def contender(search: str, value: float, **changes: Any) -> Contender:
    settings: dict[str, Any] = {
        "title": search.upper(),
        "tuned": search in (SUBJECT, REFERENCE),
        "interval": Interval(low=value - 0.5, high=value + 0.5, df=4),
        "kind": "cross-fit",
        "n_seeds": 3,
        "metrics": {},
        "finished": 12,
        "planned": 12,
    }
    return Contender(search=search, value=value, **(settings | changes))


def difference(b: str, value: float, error: float, margin: float | None = 1.0) -> Difference:
    """With many degrees of freedom: the interval reaches 1.96 errors to either side."""
    estimate = Estimate(value=value, standard_error=error, df=1e9, n_seeds=3)
    return Difference(
        a=SUBJECT,
        b=b,
        estimate=estimate,
        interval=estimate.interval(),
        basis="pooled",
        sign=1.0,
        margin=margin,
    )


def told(
    *methods: Contender,
    errors: Mapping[str, float] | None = None,
    subject: str = SUBJECT,
    finished: int = 36,
    margin: float = 1.0,
    cost_ratio: CostRatio | None = None,
) -> str:
    """The headline where differences have these standard errors, 0.1 unless said otherwise."""
    by_search = {method.search: method for method in methods}
    mine = by_search[subject]
    others = [m for m in methods if m is not mine and m.complete]
    gaps = {m.search: mine.value - m.value for m in others} | {"stl": mine.value}
    found = {
        b: difference(b, gap, (errors or {}).get(b, 0.1), margin)
        for b, gap in gaps.items()
        if mine.complete
    }
    alone = [found.pop(b) for b in ("stl", REFERENCE) if b in found]
    return headline(
        methods,
        [*alone, *adjusted(list(found.values()))],
        [],
        objective=DELTA_M,
        subject=subject,
        reference=REFERENCE if REFERENCE in by_search and subject != REFERENCE else None,
        cost_ratio=cost_ratio,
        finished=finished,
        planned=36,
    )


def test_a_value_comes_with_its_interval_and_what_it_rests_on() -> None:
    assert told(contender(SUBJECT, -4.0)).startswith(
        "UW-SO reaches a test Δm of −4.00 % (95 % interval −4.50 to −3.50; cross-fit, "
        "3 seeds): better than single-task networks (STL)."
    )


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        (-4.0, 1.0, "better than single-task networks (STL)."),
        (4.0, 1.0, "worse than single-task networks (STL)."),
        (-0.5, 0.1, "better than single-task networks (STL), by less than the margin of 1."),
        (-0.7, 0.3, "better than single-task networks (STL)."),
        (-0.1, 0.2, "comparable to single-task networks (STL), within the margin of 1."),
        (
            -4.0,
            3.0,
            "undecided against single-task networks (STL); the margin is 1; about 9 seeds would "
            "decide.",
        ),
    ],
)
def test_single_task_networks_are_beaten_only_where_the_interval_excludes_0(
    value: float, error: float, said: str
) -> None:
    assert f": {said}" in told(contender(SUBJECT, value), errors={"stl": error})


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        (
            -6.0,
            0.2,
            "It is better than SCALARIZATION by 2.00 points (95 % interval 1.61 to 2.39), beyond "
            "the margin of 1.",
        ),
        (
            -3.5,
            0.2,
            "It is worse than SCALARIZATION by 0.50 points (95 % interval 0.11 to 0.89), within "
            "the margin of 1.",
        ),
        (
            -3.0,
            0.2,
            "It is worse than SCALARIZATION by 1.00 points (95 % interval 0.61 to 1.39), around "
            "the margin of 1.",
        ),
        (
            -3.9,
            0.2,
            "It is comparable to SCALARIZATION: +0.10 points (95 % interval −0.29 to +0.49), "
            "within the margin of 1.",
        ),
        (
            -3.5,
            0.4,
            "Against SCALARIZATION it is undecided at this resolution: +0.50 points (95 % interval "
            "−0.28 to +1.28); the margin is 1; about 10 seeds would decide.",
        ),
    ],
)
def test_the_word_for_a_difference_is_what_its_whole_interval_says(
    value: float, error: float, said: str
) -> None:
    methods = contender(REFERENCE, -4.0), contender(SUBJECT, value)
    assert said in told(*methods, errors={REFERENCE: error})


def test_the_share_of_cost_is_that_of_runs_alone() -> None:
    ratio = CostRatio(alone=0.25, as_run=0.8, epochs=0.2, packed=False, steps=None)
    sentence = told(contender(REFERENCE, -4.5), contender(SUBJECT, -4.0), cost_ratio=ratio)
    assert "Its search took 25 % of the device-seconds of SCALARIZATION." in sentence


def test_a_share_of_nothing_is_unknown() -> None:
    sentence = told(contender(REFERENCE, -4.5), contender(SUBJECT, -4.0))
    assert "Its search took an unknown share of the cost of SCALARIZATION." in sentence


def test_tuning_free_methods_are_counted_by_verdict() -> None:
    sentence = told(
        contender(SUBJECT, -4.0),
        contender("dwa", -4.1),
        contender("ew", -2.0),
        contender("rlw", -6.0),
        contender("uw", -3.0),
        errors={"uw": 2.0},
    )
    assert (
        "Of 4 tuning-free methods it is better than 1 (EW), worse than 1 (RLW), comparable to 1 "
        "(DWA) and undecided against 1 (UW)." in sentence
    )


def test_none_beaten_is_said_and_other_tuned_methods_are_counted_apart() -> None:
    sentence = told(
        contender(SUBJECT, -4.0),
        contender("ew", -5.0),
        contender("famo", -2.0, tuned=True),
        errors={"ew": 0.1},
    )
    assert "Of 1 tuning-free method it is better than 0 and worse than 1 (EW)." in sentence
    assert "Of 1 other tuned method it is better than 1 (FAMO)." in sentence


def test_a_family_of_comparisons_needs_clearer_differences_than_one() -> None:
    """At 2.1 standard errors one comparison is decided, and each of seven is not."""
    many = [contender(name, -4.0 + 2.1) for name in ("a", "b", "c", "d", "e", "f", "g")]
    errors = dict.fromkeys("abcdefg", 1.0)
    alone = told(contender(SUBJECT, -4.0), many[0], errors=errors)
    assert "better than 1 (A)" in alone
    assert "better than 0" in told(contender(SUBJECT, -4.0), *many, errors=errors)


def test_nothing_is_decided_against_a_method_with_missing_runs() -> None:
    sentence = told(
        contender(SUBJECT, -4.0),
        contender(REFERENCE, -3.0, finished=7),
        contender("ew", 1.0, finished=11),
        finished=30,
    )
    assert sentence.startswith("Incomplete: 30 of the 36 runs planned so far have ended.")
    assert "Undecided against SCALARIZATION: SCALARIZATION has 7 of 12 runs." in sentence
    assert "Undecided against EW: runs are missing." in sentence
    assert "Its search took" not in sentence


def test_a_study_without_uw_so_is_told_by_its_best_method() -> None:
    sentence = told(contender("dwa", -1.5), contender("ew", 0.5), subject="dwa")
    assert sentence.startswith("DWA reaches")


def test_without_values_nothing_is_claimed() -> None:
    sentence = told(contender(SUBJECT, math.nan, finished=0), contender("ew", -1.0), finished=12)
    assert sentence.endswith("Undecided: UW-SO has no value yet.")


def test_one_seed_is_admitted() -> None:
    alone = contender(SUBJECT, -1.0, interval=None, kind="same-seed", n_seeds=1)
    sentence = told(
        alone, contender(REFERENCE, -4.0), errors={"stl": math.nan, REFERENCE: math.nan}
    )
    assert "(same-seed, 1 seed: no interval): undecided against single-task" in sentence
    assert "Against SCALARIZATION it is undecided: +3.00 points" in sentence
    assert "better than" not in sentence
    assert "worse than" not in sentence


def test_a_diverged_winner_is_admitted() -> None:
    sentence = told(contender(REFERENCE, -1.0), contender(SUBJECT, math.inf, interval=None))
    assert "diverges on a fresh seed" in sentence
    assert "inf" not in sentence.replace("finite", "")
