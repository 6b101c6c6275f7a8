"""The contracts for outsiders hold what is right, and notice what is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from hypothesis import Phase, settings
from torch import Tensor, nn

from tests.toy import Toy
from trainers.cards import ProblemCard
from trainers.engines import open_session
from trainers.errors import SharedModule
from trainers.problems import TensorSource
from trainers.protocol import Problem, TaskFunctions
from trainers.testing import ProblemContract, WeightingContract, promised
from trainers.weightings import Weighting
from trainers.weightings.levels import AfterStepWeighting, GramianWeighting

_LOST_IN_SINGLE = 1e-60
"""Single precision takes it for 0, and its inverse for infinity."""


class Sum(Weighting):
    name, title, paper = "sum", "Sum", "none"

    def objective(self, losses: Tensor, **_: Any) -> Tensor:
        return losses.sum(-1)


class TestSum(WeightingContract):
    @pytest.fixture
    def method(self) -> Weighting:
        return Sum()


class TestToy(ProblemContract):
    @pytest.fixture
    def problem(self) -> Problem:
        return Toy()


@pytest.fixture
def at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """What breaks a promise is told by its first example: nobody reads a smaller one."""
    at_once = settings(promised, phases=[Phase.generate])
    for test in vars(WeightingContract).values():
        if hasattr(test, "hypothesis"):
            monkeypatch.setattr(test, "_hypothesis_internal_use_settings", at_once)


class Unnamed(Sum):
    title = ""


class Difference(Sum):
    def objective(self, losses: Tensor, **_: Any) -> Tensor:
        return -losses.sum(-1)


class Unbounded(Sum):
    def objective(self, losses: Tensor, **_: Any) -> Tensor:
        return (losses + _LOST_IN_SINGLE).log().sum(-1)


class FirstOnly(Sum):
    def objective(self, losses: Tensor, **_: Any) -> Tensor:
        return losses[..., 0]


class OfThePack(Sum):
    def objective(self, losses: Tensor, **_: Any) -> Tensor:
        return losses.sum(-1) * losses.detach().mean()


class Unused(Sum):
    def params(self, _hyper: Any) -> Mapping[str, float]:
        return {"s": 0.0}


class Forgetful(Sum):
    def state(self, _hyper: Any) -> Mapping[str, float]:
        return {"ratio": 1.0}

    def end_epoch(self, state: Mapping[str, Tensor], mean_losses: Tensor) -> Mapping[str, Tensor]:
        state["ratio"].add_(mean_losses)
        return state


class NotFixed(Sum):
    fixed = True

    def objective(self, losses: Tensor, **_: Any) -> Tensor:
        return losses.square().sum(-1)


class Scalar(GramianWeighting):
    name, title, paper = "scalar", "Scalar", "none"

    def combination(self, gramian: Tensor, **_: Any) -> Tensor:
        return gramian.diagonal()[:1]


class Long(Scalar):
    def combination(self, gramian: Tensor, **_: Any) -> Tensor:
        return torch.ones_like(gramian[0]) / _LOST_IN_SINGLE


class Grows(AfterStepWeighting):
    name, title, paper = "grows", "Grows", "none"

    def state(self, _hyper: Any) -> Mapping[str, float]:
        return {"w": 1.0}

    def objective(self, losses: Tensor, **_: Any) -> Tensor:
        return losses.sum(-1)

    def after_step(
        self, state: Mapping[str, Tensor], before: Tensor, after: Tensor, **_: Any
    ) -> Mapping[str, Tensor]:
        return {"w": state["w"] / _LOST_IN_SINGLE}


@pytest.mark.parametrize(
    ("method", "promise"),
    [
        (Unnamed(), "it_introduces_itself"),
        (Difference(), "weights_are_not_negative"),
        (FirstOnly(), "it_is_blind_to_task_order"),
        (FirstOnly(), "equal_tasks_get_equal_weights"),
        (OfThePack(), "a_pack_equals_its_runs_alone"),
        (Unused(), "every_learned_parameter_is_used"),
        (Forgetful(), "an_epochs_end_keeps_the_states_form"),
        (NotFixed(), "fixed_weights_do_not_see_losses_and_noise"),
        (Scalar(), "an_update_is_finite_of_the_parameters_form_and_changes_nothing"),
    ],
)
def test_a_weighting_that_breaks_a_promise_is_found_out(
    at_first: None, method: Weighting, promise: str
) -> None:
    with pytest.raises((AssertionError, RuntimeError)):
        getattr(WeightingContract(), f"test_{promise}")(method)


@pytest.mark.parametrize(
    ("method", "promise"),
    [
        (Unbounded(), "losses_near_zero_and_huge_stay_finite"),
        (Long(), "an_update_is_finite_of_the_parameters_form_and_changes_nothing"),
        (Grows(), "after_a_step_the_state_is_finite_and_keeps_its_form"),
    ],
)
def test_one_that_breaks_it_in_single_precision_is_found_out(
    at_first: None, method: Weighting, promise: str
) -> None:
    with pytest.raises((AssertionError, RuntimeError)):
        getattr(WeightingContract(), f"test_{promise}")(method)


@dataclass(frozen=True, kw_only=True)
class Careless(Toy):
    """Breaks one rule, by its name."""

    rule: str

    @property
    def card(self) -> ProblemCard:
        card = super().card
        return replace(card, sizes={**card.sizes, "test": 9}) if self.rule == "sizes" else card

    def sources(self, device: torch.device) -> Mapping[str, TensorSource]:
        sources = super().sources(device)
        if self.rule == "samples":
            for source in sources.values():
                source.inputs.add_(torch.randn_like(source.inputs))
        return sources

    def functions(self, task: str) -> TaskFunctions:
        functions = super().functions(task)
        if self.rule == "metrics":
            return replace(functions, metrics={"other": functions.metrics["error"]})
        if self.rule == "loss":
            return replace(functions, loss=lambda output, target: (output - target) / 0.0)
        return functions


@pytest.mark.parametrize(
    ("rule", "promise"),
    [
        ("sizes", "its_data_is_as_large_as_the_card_says"),
        ("samples", "every_worker_sees_the_same_samples"),
        ("metrics", "its_metrics_are_named_and_ordered_as_on_the_card"),
    ],
)
def test_a_problem_that_breaks_a_rule_is_found_out(rule: str, promise: str) -> None:
    with pytest.raises(AssertionError):
        getattr(ProblemContract(), f"test_{promise}")(Careless(rule=rule))


def test_a_problem_whose_loss_is_no_scalar_is_found_out() -> None:
    session = open_session(Careless(rule="loss"), "cpu")
    with pytest.raises(AssertionError):
        ProblemContract().test_a_batch_of_every_split_goes_through_every_part(session)


@dataclass(frozen=True, kw_only=True)
class Remembers(Toy):
    """A trunk that all runs share."""

    def trunk(self) -> nn.Module:
        return _SHARED


_SHARED = nn.Sequential(nn.Linear(3, 4), nn.Tanh())


def test_a_problem_whose_runs_meet_is_found_out() -> None:
    with pytest.raises(SharedModule):
        ProblemContract().test_its_runs_would_be_right(open_session(Remembers(), "cpu"))
