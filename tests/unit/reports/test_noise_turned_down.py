"""C9 goes by two intervals of each method: a share of weight, and a difference from EW."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import load
from reports.claims.claim import Claim
from reports.claims.noise_turned_down import (
    Turned,
    noise_turned_down,
    noisy_tasks,
    turned_and_better,
)
from reports.comparing.winners import winner_of
from reports.frames import StudyFrames
from reports.inference import Estimate
from tests.unit.reports import synthetic
from tests.unit.reports.test_claims import gap

LEFT = {"task": "left", "kind": "symmetric", "rate": 0.4}
values = st.floats(-5, 5)
errors = st.floats(0.01, 5)


def turned(share: tuple[float, float], difference: tuple[float, float]) -> Turned:
    estimate = Estimate(value=share[0], standard_error=share[1], df=4, n_seeds=5)
    return Turned(share=estimate, within=estimate.interval(), gap=gap(*difference))


def frames_of(noise: dict[str, Any] | None, **changes: Any) -> StudyFrames:
    reader = synthetic.reader(epochs=3, **changes)
    reader.spec["label_noise"] = noise
    return load(reader, synthetic.STUDY)


def asked(noise: dict[str, Any] | None, **changes: Any) -> Claim:
    return noise_turned_down(frames_of(noise, **changes))


pairs = st.tuples(values, errors)


@given(st.lists(st.tuples(pairs, pairs), min_size=2, max_size=2))
def test_it_takes_both_of_both_methods(found: list[tuple[Any, Any]]) -> None:
    both = [turned(*one) for one in found]
    finding = turned_and_better(both)
    shares = [one.within for one in both if one.within is not None]
    verdicts = [one.gap.verdict for one in both]
    down = all(within.high < 0 for within in shares)
    assert (finding == "supported") == (down and verdicts == ["better"] * 2)
    kept = any(within.low >= 0 for within in shares)
    assert (finding == "not supported") == (kept or bool({"worse", "comparable"} & {*verdicts}))


@pytest.mark.parametrize(
    ("noise", "found"),
    [
        (None, []),
        (LEFT, ["left"]),
        (LEFT | {"rate": 0.0}, []),
        (LEFT | {"task": ["sum", "left"]}, ["left", "sum"]),
        ({"task": "left", "kind": "matrix", "rows": [[1, 0], [0.5, 0.5]]}, ["left"]),
    ],
)
def test_which_tasks_are_noisy_is_told_by_the_spec(
    noise: dict[str, Any] | None, found: list[str]
) -> None:
    assert noisy_tasks(frames_of(noise)) == found


@pytest.mark.parametrize("noise", [None, LEFT | {"task": ["left", "right", "sum"]}])
def test_it_needs_noisy_tasks_and_others(noise: dict[str, Any] | None) -> None:
    found = asked(noise)
    assert (found.finding, found.effects) == ("not asked", ())
    assert "`label_noise` on some of its tasks" in found.said


def test_effects_are_a_share_and_a_difference_of_each_method() -> None:
    found = asked(LEFT)
    uw_share, uw_gap, so_share, so_gap = found.effects
    assert uw_share.name == "UW: weight of left minus an equal share"
    assert (uw_gap.name, so_gap.name) == ("UW minus EW", "UW-SO minus EW")
    assert uw_share.value == pytest.approx(0.0)  # the made-up UW weighs alike
    assert so_share.value < -5  # by softmax of 0, 1 and 2 over the temperature
    assert found.finding == "not supported"  # UW has not turned it down
    assert "The share of left in the weights of UW is +0.00 points" in found.said
    assert "other kinds" in found.remarks[-1]


def test_the_share_is_that_of_the_recorded_weights() -> None:
    frames = frames_of(LEFT | {"task": ["left", "sum"]})
    winner = winner_of(frames, "uw-so")
    assert winner is not None
    rows = frames.epochs.rows(split="train", metric="weight", runs=winner.chosen_runs)
    parts = [
        of_epoch.loc[of_epoch["task"] != "right", "value"].sum() / of_epoch["value"].sum()
        for _, of_epoch in rows.groupby(["run", "epoch"])
    ]
    share = noise_turned_down(frames).effects[2].value
    assert share == pytest.approx(100 * (sum(parts) / len(parts) - 2 / 3), abs=1e-9)


def test_one_seed_and_outstanding_runs_leave_it_open() -> None:
    alone = asked(LEFT, seeds=(1,))
    assert (alone.finding, alone.would_decide) == (
        "undecided",
        "a second seed: one seed has no interval",
    )
    waiting = asked(LEFT, unfinished=True)
    assert (waiting.finding, waiting.would_decide) == ("undecided", "the runs that are missing")
