"""What `precision = "bfloat16"` promises; that packs keep their bits is in `test_fused`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.contract.engine_repeating import by_epoch, trained
from tests.contract.fused_cases import Normed, Placed, fused, mixed_jobs
from tests.packs import Engine, a_job, a_pack, two_jobs
from tests.toy import Toy
from trainers.engines import network_facts, open_session, train
from trainers.protocol import TaskFunctions

HALF = {"precision": "bfloat16"}
NEAR = 0.02
"""Relative difference of losses in bfloat16, which has 8 bits, after three epochs."""

ENGINES = pytest.mark.parametrize("engine", [train, fused], ids=["solo", "fused"])
PROBLEMS = pytest.mark.parametrize(
    "problem", [Toy(dropout=0.25), Normed(dropout=0.25), Placed()], ids=["toy", "normed", "placed"]
)


@dataclass(frozen=True, kw_only=True)
class Watched(Toy):
    """Notes the types of numbers that a loss is given."""

    seen: dict[str, set[torch.dtype]] = field(default_factory=dict)

    def functions(self, task: str) -> TaskFunctions:
        usual = super().functions(task)

        def loss(output: Tensor, target: Any) -> Tensor:
            self.seen.setdefault("loss", set()).add(output.dtype)
            return usual.loss(output, target)

        return replace(usual, loss=loss)


@dataclass(frozen=True, kw_only=True)
class WatchedInside(Watched):
    """Notes what a layer is given, too."""

    def trunk(self) -> nn.Module:
        return nn.Sequential(super().trunk(), nn.Linear(4, 4, bias=False), Noting(self.seen))


class Noting(nn.Module):
    def __init__(self, seen: dict[str, set[torch.dtype]]) -> None:
        super().__init__()
        self._seen = seen

    def forward(self, inputs: Tensor) -> Tensor:
        name = "training" if self.training else "evaluation"
        self._seen.setdefault(name, set()).add(inputs.dtype)
        return inputs.tanh()


@ENGINES
def test_layers_see_half_precision_and_losses_single(engine: Engine) -> None:
    problem = WatchedInside()
    trained(engine, a_pack(a_job(), **HALF), problem)
    assert problem.seen["training"] == {torch.bfloat16}
    assert torch.bfloat16 in problem.seen["evaluation"]
    assert problem.seen["loss"] == {torch.float32}


@ENGINES
def test_losses_of_plain_layers_see_single_precision(engine: Engine) -> None:
    problem = Watched()
    trained(engine, a_pack(a_job(), **HALF), problem)
    assert problem.seen["loss"] == {torch.float32}


@ENGINES
@PROBLEMS
def test_losses_are_near_those_of_single_precision_and_not_the_same(
    engine: Engine, problem: Toy
) -> None:
    pack = a_pack(*mixed_jobs()[1::4])
    half = replace(pack, training=replace(pack.training, **HALF))
    whole, rounded = (losses(trained(engine, each, problem)) for each in (pack, half))
    assert rounded == pytest.approx(whole, rel=NEAR, abs=NEAR)
    assert all(rounded[key] != whole[key] for key in whole if key[2] == "train")


@PROBLEMS
def test_a_stack_is_near_a_run_alone(problem: Toy) -> None:
    pack = a_pack(*mixed_jobs()[3::4], **HALF)
    alone, stacked = (losses(trained(engine, pack, problem)) for engine in (train, fused))
    assert stacked == pytest.approx(alone, rel=NEAR, abs=NEAR / 10)


@ENGINES
def test_what_is_kept_is_in_single_precision(engine: Engine, tmp_path: Path) -> None:
    pack = a_pack(*two_jobs("uw"), checkpoints=tmp_path, until_epoch=2, **HALF)
    for run in trained(engine, pack, Normed()).values():
        kept = torch.load(run.checkpoints[-1].checkpoint.path, weights_only=True)
        leaves = torch.utils._pytree.tree_leaves(kept["runs"][run.end.run])
        types = {leaf.dtype for leaf in leaves if isinstance(leaf, Tensor)}
        assert types == {torch.float32, torch.int64}  # the latter counts a normalisation's batches


@PROBLEMS
def test_the_usual_networks_can_be_stacked(problem: Toy) -> None:
    assert network_facts(open_session(problem, "cpu"), "bfloat16").obstacle == ""


def losses(runs: Any) -> dict[tuple[object, ...], float]:
    """All losses by run, epoch, split and task; a rounded output may change a discrete metric."""
    return {
        (run, epoch, split, task): value
        for run, epochs in by_epoch(runs).items()
        for epoch, values in epochs.items()
        for (split, task, name), value in values.items()
        if name == "loss"
    }
