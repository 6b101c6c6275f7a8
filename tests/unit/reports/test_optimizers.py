"""Optimisers side by side: who is best, what is left undominated, and what C6 says of it."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from reports import StudyFrames, compare, load
from reports.claims import Claim
from reports.claims.adam_dominates import adam_dominates, left_more, of_the_front
from reports.comparing.differences import difference
from reports.comparing.optimizers import Optimizers, optimizers_of
from reports.comparing.optimizers_said import optimizers_said
from reports.comparing.rows import method_row
from reports.comparing.winners import winner_of
from reports.html._optimizers import optimizers_section
from reports.inference import mean_of
from tests.unit.reports import synthetic

APART: Mapping[str, Mapping[str, tuple[float | None, ...]]] = {
    "ew": {"adam": (5.0, 2.0, 3.0), "sgd": (14.0, 12.0, None)},
    "rlw": {"adam": (9.0, 6.0, 8.0), "sgd": (24.0, 20.0, 22.0)},
    "uw": {"adam": (3.0, -2.0, 1.0), "sgd": (8.0, 9.0, 9.0)},
}
"""Adam is better by far, and the rankings are the same."""


def frames_of(
    levels: Mapping[str, Mapping[str, tuple[float | None, ...]]] = APART,
    seeds: tuple[int, ...] = (1, 2, 3),
    **spec: Any,
) -> StudyFrames:
    made = synthetic.of_optimizers(levels, seeds)
    made.spec |= spec
    return load(made, synthetic.STUDY)


@pytest.fixture(scope="module")
def apart() -> StudyFrames:
    return frames_of()


def found_in(frames: StudyFrames) -> Optimizers:
    found = optimizers_of(frames, frames.searches)
    assert found is not None
    return found


def c6(frames: StudyFrames) -> Claim:
    return adam_dominates(frames)


def test_each_weighting_has_a_row_an_optimiser_with_its_own_best_trial(apart: StudyFrames) -> None:
    rows = {(row.weighting, row.optimizer): row for row in found_in(apart).rows}
    assert len(rows) == 6
    assert all(row.n_trials == 3 for row in rows.values())
    best = {key: row.best.params["lr"] for key, row in rows.items() if row.best}
    assert best["ew", "adam"] == best["uw", "adam"] == 2e-3
    assert best["uw", "sgd"] == 1e-3


def test_the_best_with_its_optimiser_is_the_searchs_winner_with_one_optimiser() -> None:
    alone = frames_of({"ew": {"adam": (5.0, 2.0, 3.0)}, "uw": {"sgd": (4.0, 3.0, 5.0)}})
    rows = found_in(alone).rows
    for row in rows:
        winner = winner_of(alone, row.weighting)
        assert winner is not None and row.best is not None
        assert row.best.scores.by_seed == winner.by_seed
        assert (row.best.trial, row.best.runs) == (winner.trial, winner.runs)
    assert found_in(alone).pairs == ()  # no weighting in common
    assert rows[0].best is not None
    assert rows[0].best.interval == method_row(alone, "ew").interval


def test_searches_of_one_weighting_are_put_together() -> None:
    made = synthetic.of_optimizers({"ew": APART["ew"], "uw": APART["uw"]})
    for view in ("run_results", "stage_trials"):
        for row in made.rows[view]:
            if row["search"] == "uw":
                row |= {"weighting": "ew"}
    frames = load(made, synthetic.STUDY)
    rows = found_in(frames).rows
    assert [(row.weighting, row.optimizer, row.n_trials) for row in rows] == [
        ("ew", "adam", 6),
        ("ew", "sgd", 6),
    ]
    assert rows[0].best is not None and rows[0].best.search == "uw"
    assert rows[1].best is not None and rows[1].best.search == "uw"


def test_differences_of_two_optimisers_are_those_of_two_searches() -> None:
    one = frames_of({"ew": {"adam": (5.0, 2.0, 3.0), "sgd": (14.0, 12.0, 13.0)}})
    made = synthetic.of_optimizers({"ew": {"adam": (5.0, 2.0, 3.0), "sgd": (14.0, 12.0, 13.0)}})
    for view in ("run_results", "stage_trials"):
        for row in made.rows[view]:
            if row["search"] == "ew" and row["trial"] >= 3:
                row["search"] = "ew-sgd"
    (pair,) = found_in(one).pairs
    wanted = difference(load(made, synthetic.STUDY), "ew", "ew-sgd")
    assert wanted is not None
    assert pair.differences["ew"].estimate == wanted.estimate
    assert pair.ranking is None  # of fewer than three


def test_where_one_is_better_by_far_none_of_the_other_is_left(apart: StudyFrames) -> None:
    (pair,) = found_in(apart).pairs
    assert (pair.a, pair.b, pair.n_trials) == ("adam", "sgd", (9, 9))
    assert pair.counts.on_front[1] == pair.counts.undominated[1] == 0
    assert pair.counts.undominated[0] > pair.counts.on_front[0] >= 1
    assert {gap.verdict for gap in pair.differences.values()} == {"better"}
    assert pair.ranking is not None and pair.ranking.tau == pytest.approx(1.0)
    claim = c6(apart)
    assert claim.finding == "supported"
    assert claim.effects[0].value == pytest.approx(
        np.mean([100 * (a - b) for a, b in (one.shares for one in pair.by_seed)])
    )
    assert len(claim.runs[synthetic.STUDY]) == 9 * 2 * 3


def test_words_come_first_and_say_the_numbers(apart: StudyFrames) -> None:
    (said,) = optimizers_said(found_in(apart))
    assert said.startswith("On test, the best with adam is better than with sgd for ")
    assert "Of 9 trials each of adam and sgd with 3 weightings" in said
    assert "Kendall's tau +1.00 (95 % interval " in said
    section = optimizers_section(found_in(apart))
    assert section is not None
    assert said in section


def test_equal_optimisers_are_not_told_apart() -> None:
    alike = {w: {"adam": (3.0, 2.0, 3.0), "sgd": (3.0, 2.0, 3.0)} for w in ("ew", "rlw", "uw")}
    frames = frames_of(alike)
    assert c6(frames).finding == "undecided"
    assert c6(frames).would_decide
    (pair,) = found_in(frames).pairs
    assert pair.ranking is not None
    assert pair.ranking.low < 0 < pair.ranking.high
    assert "undecided" in [*optimizers_said(found_in(frames))][-1]


def test_unequal_numbers_are_said() -> None:
    fewer = {"ew": {"adam": (5.0, 2.0, 3.0, 4.0), "sgd": (14.0, 12.0)}}
    (pair,) = found_in(frames_of(fewer)).pairs
    assert (pair.n_trials, pair.counts.n_drawn) == ((4, 2), 2)
    assert "Of 2 of the 4 trials of adam and as many of the 2 of sgd" in c6(frames_of(fewer)).said


def test_an_optimiser_that_only_training_names_counts_too() -> None:
    made = synthetic.of_optimizers({"ew": APART["ew"]})
    for view in ("run_results", "stage_trials"):
        for row in made.rows[view]:
            if row["search"] == "ew" and row["trial"] < 3:
                row["search"] = "ew-as-trained"
    for row in made.rows["run_results"]:
        if row["search"] == "ew-as-trained":
            params = json.loads(row["params"])
            row["params"] = json.dumps({"lr": params["lr"]})
    made.spec["training"]["optimizer"] = "adamw"
    assert found_in(load(made, synthetic.STUDY)).names == ("adamw", "sgd")


def test_with_one_optimiser_there_is_nothing_to_say() -> None:
    frames = synthetic.frames(epochs=6)
    assert optimizers_of(frames, frames.searches) is None
    assert optimizers_section(None) is None
    claim = adam_dominates(frames)
    assert (claim.finding, claim.effects) == ("not asked", ())
    assert 'optimizer = ["adam", "sgd"]' in claim.said


def test_a_sealed_study_tells_no_optimiser() -> None:
    made = synthetic.of_optimizers({"ew": APART["ew"]})
    made.sealed = True
    frames = load(made, synthetic.STUDY)
    assert optimizers_of(frames, frames.searches) is None


def test_outstanding_runs_leave_it_undecided() -> None:
    made = synthetic.of_optimizers({"ew": APART["ew"]})
    made.rows["run_results"][-1] |= {"state": "waiting", "value_val": None, "value_test": None}
    frames = load(made, synthetic.STUDY)
    assert c6(frames).finding == "undecided"
    assert "17 of 18 runs" in c6(frames).said
    assert compare(frames).optimizers is None


def test_a_value_of_several_trials_stands_beside_the_best_ones_own() -> None:
    alike = {"ew": {"adam": (2.0,) * 6, "sgd": (2.0,) * 6}}
    frames = frames_of(alike)
    found = found_in(frames)
    mixed = [row for row in found.rows if row.best and row.best.n_trials > 1]
    assert mixed
    for row in mixed:
        assert row.best is not None
        tests = frames.runs_of("ew").query(f"trial == {row.best.trial}")["value_test"]
        assert row.best.own == pytest.approx(tests.mean())
        assert f"the one here is of {row.best.n_trials} trials" in (optimizers_section(found) or "")


def test_a_report_of_one_seed_promises_no_intervals_of_optimisers() -> None:
    said = ("the other seeds choose", "intervals after Holm")
    for seeds in ((1,), (1, 2, 3)):
        page = optimizers_section(found_in(frames_of(seeds=seeds))) or ""
        assert [words in page for words in said] == [len(seeds) > 1] * 2


def test_one_seed_has_values_and_decides_nothing() -> None:
    frames = frames_of(seeds=(1,))
    assert c6(frames).finding == "undecided"
    assert "second seed" in c6(frames).would_decide
    (pair,) = found_in(frames).pairs
    assert pair.ranking is not None
    assert (pair.ranking.low, pair.ranking.high) == (-1.0, 1.0)


def test_an_optimiser_with_which_all_diverge_is_counted_and_has_no_value() -> None:
    gone = {"ew": {"adam": (5.0, 2.0), "sgd": (None, None)}}
    found = found_in(frames_of(gone))
    assert [row.best is None for row in found.rows] == [False, True]
    (pair,) = found.pairs
    assert pair.differences == {}
    assert pair.counts.undominated == (2.0, 0.0)
    assert "–" in (optimizers_section(found) or "")


def test_a_search_that_diverged_throughout_is_no_search_that_is_missing() -> None:
    made = synthetic.of_optimizers({"ew": {"adam": (5.0, 2.0), "sgd": (None, None)}})
    for view in ("run_results", "stage_trials"):
        for row in made.rows[view]:
            if row["search"] == "ew" and row["trial"] >= 2:
                row["search"] = "ew-sgd"
    claim = c6(load(made, synthetic.STUDY))
    assert claim.finding == "supported"
    assert claim.effects[0].value == 100.0


@pytest.mark.parametrize(
    ("on_front", "said"),
    [((2.0, 1.0), ""), ((2.0, 2.0), "2 of Adam's trials"), ((1.0, 2.5), "and 2.5 of SGD's")],
)
def test_a_front_that_says_otherwise_is_told(on_front: tuple[float, float], said: str) -> None:
    remark = of_the_front(on_front)
    assert said in remark
    assert bool(remark) == bool(said)


@pytest.mark.parametrize(
    ("gaps", "finding"),
    [
        ([10.0, 11.0, 12.0], "supported"),
        ([-10.0, -11.0, -12.0], "not supported"),
        ([-10.0, 12.0, 1.0], "undecided"),
        ([0.0, 0.0, 0.0], "not supported"),
        ([5.0], "undecided"),
    ],
)
def test_the_finding_goes_by_all_of_the_interval(gaps: list[float], finding: str) -> None:
    assert left_more(mean_of(gaps)) == finding


def test_all_of_it_can_be_written_as_json(apart: StudyFrames) -> None:
    for frames in (apart, frames_of({"ew": {"adam": (5.0, 2.0), "sgd": (None, None)}})):
        plain = found_in(frames).to_plain()
        assert json.loads(json.dumps(plain, allow_nan=False)) == plain


def test_intervals_of_tau_hold_the_truth() -> None:
    """Weightings whose true values are told or not by three seeds, ranked alike and otherwise."""
    from reports.inference.rankings import agreement, kendall_tau

    rng, inside, n_weightings = np.random.default_rng(0), 0, 6
    half = 4.303 * math.sqrt(2)  # t(2), of a difference of two means
    for _ in range(300):
        true = rng.normal(size=(2, n_weightings))
        if rng.random() < 0.5:
            true[1] = true[0]
        seeds = true[..., None] + rng.uniform(0.1, 1) * rng.normal(size=(2, n_weightings, 3))
        means, errors = seeds.mean(axis=2), seeds.std(axis=2, ddof=1) / math.sqrt(3)
        told = [
            np.abs(m[:, None] - m) > half * np.sqrt((e[:, None] ** 2 + e**2) / 2)
            for m, e in zip(means, errors, strict=True)
        ]
        found = agreement(means[0], means[1], (told[0], told[1]))
        inside += found.low - 1e-9 <= kendall_tau(*true) <= found.high + 1e-9
    assert inside / 300 >= 0.95
