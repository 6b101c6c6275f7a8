"""A method against parts of its rival's grid: differences, their words, and when there are none."""

import numpy as np
import pytest

from reports import compare, load
from reports.comparing.sparser_grids import sparser_grids
from reports.inference import paired
from reports.spending import budget_curve, grid_resolution
from tests.unit.reports import synthetic


def test_differences_are_those_of_the_curves_ends_and_of_the_parts() -> None:
    frames = synthetic.frames()
    found = sparser_grids(frames, "uw-so", "scalarization")
    mine, grid = budget_curve(frames, "uw-so"), grid_resolution(frames, "scalarization")
    assert found is not None
    assert mine is not None
    assert grid is not None
    wanted = [mine.value[-1] - part.value for part in grid.parts]
    assert [gap.value for gap in found.differences] == pytest.approx(wanted)
    assert {gap.basis for gap in found.differences} == {"pooled"}


def test_five_seeds_are_paired() -> None:
    frames = synthetic.frames(seeds=(1, 2, 3, 4, 5))
    found = sparser_grids(frames, "uw-so", "scalarization")
    mine, grid = budget_curve(frames, "uw-so"), grid_resolution(frames, "scalarization")
    assert found is not None
    assert mine is not None
    assert grid is not None
    for gap, part in zip(found.differences, grid.parts, strict=True):
        assert gap.estimate == paired(mine.by_seed[:, -1], part.by_seed)


def test_a_sparser_grid_flatters_the_rival() -> None:
    """The made-up grid has one optimum: the fewer of its points, the worse its best one."""
    found = sparser_grids(synthetic.frames(), "uw-so", "scalarization")
    assert found is not None
    values = [gap.value for gap in found.differences]
    assert values == sorted(values, reverse=True)
    assert np.diff(values).min() < -0.1


def test_the_sentence_has_the_resolution_and_each_interval_with_its_word() -> None:
    found = compare(synthetic.frames()).sparser_grids
    assert found is not None
    assert (
        "has 36 vectors of weights, step 0.1. UW-SO minus Scalarization, with all" in found.sentence
    )
    assert "with a random half (18)" in found.sentence
    assert "with a random quarter (9)" in found.sentence
    assert found.sentence.count("95 % interval") == 3
    for gap in found.differences:
        assert f"; {gap.verdict})" in found.sentence


def test_another_number_in_the_comparison_is_explained() -> None:
    found = compare(synthetic.frames(confirm=(11, 12, 13)))
    grids = found.sparser_grids
    assert grids is not None
    (main,) = (gap for gap in found.differences if gap.b == "scalarization")
    assert grids.compared == main
    assert main.value != pytest.approx(grids.differences[0].value)
    assert f"The comparison has {main.value:+.2f} points".replace("-", "−") in grids.sentence


def test_the_same_number_in_the_comparison_needs_no_word() -> None:
    found = compare(synthetic.frames()).sparser_grids
    assert found is not None
    assert found.compared is None
    assert "The comparison has" not in found.sentence


def test_one_seed_says_that_it_tells_no_interval() -> None:
    found = sparser_grids(synthetic.frames(seeds=(1,)), "uw-so", "scalarization")
    assert found is not None
    assert found.sentence.count("one seed: no interval") == 3


def test_no_grid_over_weights_no_sparser_one() -> None:
    assert sparser_grids(synthetic.frames(), "ew", "uw-so") is None


@pytest.mark.parametrize("state", ["empty", "unfinished"])
def test_what_runs_can_still_change_is_not_said(state: str) -> None:
    found = compare(synthetic.frames(**{state: True}))
    assert found.sparser_grids is None
    assert not [one for one in found.matches if one.search == "uw-so"]


def test_the_headline_has_the_fair_ratio() -> None:
    found = compare(synthetic.frames())
    mine = next(one for one in found.matches if one.search == "uw-so")
    assert mine.sentence in found.sentence
    assert {one.search for one in found.matches} == {"ew", "uw", "uw-so"}
    assert len(found.to_plain()["cost_to_match"]) == 3


def test_packs_without_timings_are_told_in_epochs() -> None:
    made = synthetic.reader(fused=True)
    made.rows["epoch_timings"] = []
    found = compare(load(made, synthetic.STUDY))
    assert {one.axis for one in found.matches} == {"epochs"}
    assert "in epochs" in next(one for one in found.matches if one.search == "uw-so").sentence
    assert {one.axis for one in compare(synthetic.frames()).matches} == {"solo_s"}
