"""Two valleys: the papers' numbers of steps, by torch's optimisers and by ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch

from tests.packs import a_job, a_pack, told
from trainers.engines import open_session, train
from trainers.jobs import Training
from trainers.optimizers import Optimizer
from trainers.optimizers.adam import Adam
from trainers.optimizers.sgd import SGD
from trainers.problems._valleys import MINIMUM, NEAR, STARTS, Point, valleys
from trainers.problems.errors import BadOption, UnknownTask
from trainers.problems.two_valleys import TASKS, TwoValleys
from trainers.protocol import Problem
from trainers.testing import ProblemContract

RATES = (10.0, 5.0, 1.0, 0.5, 0.1)
NO_MOMENTUM = Training(epochs=1, batch_size=1, optimizer="sgd", momentum=0.0)
FEW = TwoValleys(epoch_steps=30, limit=500)


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self) -> Problem:
        return TwoValleys(epoch_steps=8)


def all_near(optimizer: Optimizer, settings: Mapping[str, Any], n_steps: int) -> dict[float, float]:
    """Rate to steps until all starts are near the minimum under equal weights, or infinity."""
    rates, starts = torch.tensor(RATES).unsqueeze(-1), torch.tensor(STARTS)
    place = starts.flatten().repeat(len(RATES), 1).requires_grad_()
    kept = {of.name: torch.zeros_like(place) for of in optimizer.kept(NO_MOMENTUM)}
    first = torch.full((len(RATES), len(STARTS)), torch.inf)
    for step in range(n_steps):
        means = valleys(place.unflatten(-1, starts.shape)).mean(dim=-1)
        first[(means <= MINIMUM + NEAR) & first.isinf()] = step
        (gradient,) = torch.autograd.grad(means.sum(), place)
        with torch.no_grad():
            optimizer.update(
                place,
                gradient,
                kept,
                settings=settings,
                n_steps=float(step + 1),
                lr=rates,
                weight_decay=None,
            )
    return dict(zip(RATES, first.amax(dim=1).tolist(), strict=True))


def test_adam_arrives_in_as_many_steps_as_published() -> None:
    steps = all_near(Adam(), {"betas": (0.9, 0.999), "eps": 1e-8}, 702)
    expected = {10.0: 26, 5.0: 37, 1.0: 22, 0.5: 58, 0.1: 699}
    assert steps == pytest.approx(expected, abs=1)


def test_gradient_descent_arrives_at_one_rate_only() -> None:
    steps = all_near(SGD(), {"momentum": 0.0}, 300)
    assert steps.pop(5.0) == pytest.approx(104, abs=1)
    assert {*steps.values()} == {torch.inf}


def steps_of(name: str, lr: float, **training: Any) -> list[float]:
    """Steps that runs of seeds 0, 1 and 2 record after 30 steps."""
    session = open_session(FEW, "cpu")
    found = []
    for seed in range(3):
        job = a_job(1, name, tasks=TASKS, lr=lr, hyper={})
        pack = a_pack(job, seed=seed, epochs=1, batch_size=1, **training)
        values = told(train(pack, session))[1].epochs[1]
        assert values["test", "second", "steps"] == values["validation", "first", "steps"]
        found.append(values["validation", "first", "steps"])
    return found


@pytest.mark.parametrize(
    ("name", "lr", "steps"), [("ew", 1.0, 22), ("ew", 10.0, 26), ("pcgrad", 10.0, 25)]
)
def test_runs_of_three_seeds_count_from_all_starts(name: str, lr: float, steps: int) -> None:
    assert max(steps_of(name, lr, optimizer="adam")) == pytest.approx(steps, abs=1)


def test_a_point_that_has_not_come_near_stands_at_the_limit() -> None:
    assert steps_of("ew", 1e-3, optimizer="sgd", momentum=0.0) == [FEW.limit] * 3


def test_the_minimum_is_where_the_paper_has_it() -> None:
    near = torch.tensor([[0.0, -8.3551], [0.1, -8.3551], [0.0, -8.5], [0.0, -8.2]])
    at, *around = valleys(near.double()).mean(dim=-1).tolist()
    assert at == pytest.approx(MINIMUM, abs=1e-5)
    assert min(around) > at


def test_judging_counts_no_step() -> None:
    point = Point(limit=10)
    point.eval()
    assert point(torch.zeros(4, 2))[:, 2].tolist() == [10.0] * 4
    assert float(point.taken) == 0


def test_a_second_look_at_a_place_counts_no_step() -> None:
    point, inputs = Point(limit=10), torch.zeros(1, 2)
    for _ in range(3):
        point(inputs)
        point(inputs)
        with torch.no_grad():
            point.place.add_(1)
    assert float(point.taken) == 2
    point.place.data.copy_(torch.tensor([0.0, -8.36]))
    assert point(inputs)[0, 2].tolist() == 3


def test_losses_are_finite_on_their_ridges() -> None:
    """Where the logarithm's argument is 0, it is held at 5e-6."""
    point = torch.tensor([-7.0 + 2 * float(torch.tensor(1.0).tanh()), 1.0])
    assert valleys(point).isfinite().all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epoch_steps": 0}, "`epoch_steps` must be a whole number of at least 1. Got 0."),
        ({"limit": 2.5}, "`limit` must be a whole number of at least 1. Got 2.5."),
        ({"limit": True}, "Got True."),
    ],
)
def test_bad_option_says_rule_and_finding(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadOption) as error:
        TwoValleys(**options)
    assert message in str(error.value)


@pytest.mark.parametrize("part", ["head", "functions"])
def test_unknown_task_is_refused(part: str) -> None:
    with pytest.raises(UnknownTask, match="Did you mean `first`"):
        getattr(TwoValleys(), part)("frist")
