"""Scaled losses: what learns the same whatever the scales, to the bit where nothing is rounded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Any, TypeAlias

import pytest
import torch
from torch import Tensor
from torch.func import functional_call, vmap

from tests.packs import OF_LOSSES, a_job, a_pack, hyper_for, told
from trainers.engines import open_session, train
from trainers.jobs import Engine, Training
from trainers.optimizers import optimizer
from trainers.problems._scaled import Twins, multiples
from trainers.problems.errors import BadOption, UnknownTask
from trainers.problems.scaled_losses import TASKS, ScaledLosses
from trainers.protocol import Problem
from trainers.testing import ProblemContract
from trainers.weightings import weighting

Gaps: TypeAlias = Mapping[tuple[str, str, str], Tensor]
"""Optimiser, weighting and trunk to gaps of trunk and heads before each step, ``[N, 3]``."""

SCALES = (8.0, 0.125, 1.0, 1.0)
N_STEPS = 100
OPTIMIZERS, METHODS, TRUNKS = (
    ("sgd", "signsgd", "adam", "adamw", "adatask"),
    ("ew", "uw-o"),
    ("free", "frozen"),
)
SETTINGS = {"betas": (0.9, 0.999), "eps": 1e-300, "momentum": 0.9}
APART = {"ew", "imtl-l", "scalarization", "si", "uw", "uw-o"}
"""Methods that weigh each loss by itself, as the problem's page has them."""


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self) -> Problem:
        return ScaledLosses()


class Numbers:
    """Both networks in float64, as a function of all their numbers: P of them."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.twins = Twins(frozen=False).double()
        data = multiples("train", 32, TASKS, torch.device("cpu"))
        self.inputs = data.inputs.double()
        self.targets = torch.stack([data.targets[task].double() for task in TASKS], dim=-1)
        params = dict(self.twins.named_parameters())
        self.shapes = {name: param.shape for name, param in params.items()}
        self.first = torch.cat([param.detach().flatten() for param in params.values()])
        of_heads = [torch.full_like(p, ".heads." in n).flatten() for n, p in params.items()]
        self.of_heads = torch.cat(of_heads)

    def outputs(self, numbers: Tensor) -> Tensor:
        """``[R, B, 7]`` of rows ``[R, P]``."""

        def of_one(row: Tensor) -> Tensor:
            pieces = torch.split(row, [shape.numel() for shape in self.shapes.values()])
            own = zip(self.shapes.items(), pieces, strict=True)
            params = {name: piece.view(shape).clone() for (name, shape), piece in own}
            found: Tensor = functional_call(self.twins, params, self.inputs)
            return found

        return vmap(of_one)(numbers)


@pytest.fixture(scope="module")
def gaps() -> Gaps:
    """All cases side by side, as rows of one stack: R of them, those of an optimiser together."""
    of, cases = Numbers(), [*product(OPTIMIZERS, METHODS, TRUNKS)]
    rows = of.first.repeat(len(cases), 1)
    ones = torch.ones_like(of.first)
    learned = torch.stack([ones if trunk == "free" else of.of_heads for *_, trunk in cases])
    by_uw_o = torch.tensor([[method == "uw-o"] for _, method, _ in cases])
    states: dict[str, dict[str, Tensor]] = {name: {} for name in OPTIMIZERS}
    seen = []
    for step in range(N_STEPS + 1):
        rows = rows.detach().requires_grad_()
        outputs = of.outputs(rows)
        seen.append(outputs[:, 0, 4:].detach())
        losses = (outputs[..., :4] - of.targets).abs().mean(1) * torch.tensor(SCALES)
        weights = weights_of("uw-o", losses).where(by_uw_o, weights_of("ew", losses))
        terms = (losses * weights).sum(0)
        (apart,) = torch.autograd.grad(
            terms, rows, torch.eye(len(TASKS)).double(), is_grads_batched=True
        )
        with torch.no_grad():
            own = zip(OPTIMIZERS, rows.chunk(5), (apart * learned).chunk(5, dim=1), strict=True)
            for name, values, gradients in own:
                take_step(name, values, gradients, states[name], step + 1)
    return dict(zip(cases, torch.stack(seen, dim=1), strict=True))


def take_step(
    name: str, values: Tensor, by_task: Tensor, kept: dict[str, Tensor], number: int
) -> None:
    """Change rows ``[R, P]`` by gradients ``[T, R, P]``; what is kept begins at 0."""
    method, training = optimizer(name), Training(epochs=1, batch_size=1)
    gradient = by_task if method.splits_tasks(training) else by_task.sum(0)
    for of in method.kept(training):
        kept.setdefault(of.name, torch.zeros_like(gradient))
    method.update(
        values,
        gradient,
        kept,
        settings=SETTINGS,
        n_steps=float(number),
        lr=1e-3,
        weight_decay=None,
    )


def weights_of(name: str, losses: Tensor, past: Tensor | None = None) -> Tensor:
    """Loss weights of a method ``[..., T]``, after epochs of mean losses ``[N, T]``."""
    method, many = weighting(name), losses.shape[-1]
    equal = {"task_weights": (1 / many,) * many}
    chosen = method.checked(equal if name == "scalarization" else hyper_for(name), many)
    state: Mapping[str, Tensor] = {
        of: torch.full((many,), start) for of, start in method.state(chosen).items()
    }
    for mean_losses in () if past is None else past:
        state = method.end_epoch(state, mean_losses)
    leaf = losses.detach().requires_grad_()
    whole = method.objective(
        leaf,
        hyper={of: torch.tensor(value) for of, value in chosen.items()},
        params={of: torch.full((many,), start) for of, start in method.params(chosen).items()},
        state=state,
        noise=torch.arange(float(many)) if method.noise else None,
    )
    return torch.autograd.grad(whole.sum(), leaf)[0]


@pytest.mark.parametrize("trunk", TRUNKS)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_uw_o_learns_the_same_with_every_optimiser(gaps: Gaps, name: str, trunk: str) -> None:
    assert not gaps[name, "uw-o", trunk].any()


@pytest.mark.parametrize("trunk", TRUNKS)
def test_adatask_learns_the_same(gaps: Gaps, trunk: str) -> None:
    assert not gaps["adatask", "ew", trunk].any()


@pytest.mark.parametrize("name", ["adam", "adamw", "signsgd"])
def test_heads_learn_the_same_on_a_frozen_trunk_only(gaps: Gaps, name: str) -> None:
    assert not gaps[name, "ew", "frozen"].any()
    free = gaps[name, "ew", "free"]
    assert not free[1, 1:].any(), "the heads' first step"
    assert free[1, 0] > 0
    assert (free[-1] > 0).all()


@pytest.mark.parametrize("trunk", TRUNKS)
def test_sgd_never_learns_the_same(gaps: Gaps, trunk: str) -> None:
    found = gaps["sgd", "ew", trunk]
    assert (found[1:, 1:] > 0).all()
    assert bool(found[1:, 0].any()) == (trunk == "free")


@pytest.mark.parametrize("engine", ["solo", "fused"])
def test_runs_record_the_gaps(engine: Engine) -> None:
    session = open_session(ScaledLosses(scales=SCALES[:2], frozen=True), "cpu")
    jobs = [a_job(n, name, tasks=TASKS, hyper={}) for n, name in enumerate(("ew", "uw-o"))]
    pack = a_pack(*jobs, epochs=1, batch_size=128, optimizer="sgd")
    by_run = told(train(replace(pack, engine=engine), session))
    found = {
        (run, task, metric): of.epochs[1]["test", task, metric]
        for run, of in by_run.items()
        for task in TASKS
        for metric in ("head_gap", "trunk_gap")
    }
    assert {key for key, gap in found.items() if gap} == {(0, task, "head_gap") for task in TASKS}


@pytest.mark.parametrize("name", OF_LOSSES)
def test_which_methods_weigh_twins_apart(name: str) -> None:
    """Whether a loss's weight goes by that loss alone, in the tenth epoch."""
    same, other = torch.tensor([1.0, 2.0, 1.0, 2.0]), torch.tensor([1.0, 2.0, 3.0, 0.5])
    shorter = torch.arange(1.0, 10.0).reciprocal().unsqueeze(-1)
    alike = weights_of(name, same, same + same.square() * shorter)
    beside = weights_of(name, other, other + other.square() * shorter)
    apart = torch.equal(alike[:2], alike[2:]) and torch.equal(alike[:2], beside[:2])
    assert apart == (name in APART)


def test_a_run_begins_with_equal_twins_of_its_seed() -> None:
    networks = []
    for seed in range(2):
        torch.manual_seed(seed)
        networks.append(Twins(frozen=True))
    assert not torch.stack([of.gaps() for of in networks]).any()
    first, second = (next(of.scaled.heads.parameters()) for of in networks)
    assert not torch.equal(first, second)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scales": [8]}, "`scales` must be two numbers from 1e-06 to 1e+06, as in [8, 0.125]."),
        ({"scales": 8.0}, "Got 8.0."),
        ({"scales": [1, 2, 3]}, "Got [1, 2, 3]."),
        ({"scales": [0, 1]}, "Got [0, 1]."),
        ({"scales": [1.0, float("nan")]}, "Got [1.0, nan]."),
        ({"scales": [True, 1]}, "Got [True, 1]."),
        ({"scales": ["8", 1]}, "Got ['8', 1]."),
        ({"scales": [1, 10**400]}, "Got [1, 1000"),
        ({"frozen": 1}, "`frozen` must be one of True, False. Got 1."),
    ],
)
def test_bad_option_says_rule_and_finding(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadOption) as error:
        ScaledLosses(**options)
    assert message in str(error.value)


@pytest.mark.parametrize("part", ["head", "functions"])
def test_unknown_task_is_refused(part: str) -> None:
    with pytest.raises(UnknownTask, match="Did you mean `first`"):
        getattr(ScaledLosses(), part)("frist")
