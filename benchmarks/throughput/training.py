"""How the peers train a point: plain PyTorch, on our problems' data and networks.

Starting weights and batch order have the addresses that our engines give them, so that all parties
train the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.throughput.workload import Point, Workload
from trainers.jobs import ProblemRef
from trainers.network import MultiTaskNetwork, build_network
from trainers.problems import TensorSource, build
from trainers.protocol import Problem
from trainers.randomness import Key

Outputs = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A problem with its data in memory."""

    problem: Problem
    sources: Mapping[str, TensorSource]

    @property
    def tasks(self) -> Sequence[str]:
        """The tasks' names, in the order of a point's weights."""
        return list(self.sources["train"].targets)


def load(workload: Workload) -> Loaded:
    """Load the workload's data; torch computes with one thread from now on."""
    torch.set_num_threads(1)
    problem = build(ProblemRef(target=workload.problem, options=workload.options))
    sources = cast(Mapping[str, TensorSource], problem.sources(torch.device("cpu")))
    return Loaded(problem=problem, sources=sources)


def train(
    workload: Workload, point: Point, loaded: Loaded, *, fused_adam: bool = False
) -> Iterator[dict[str, float]]:
    """Train one point; yields losses and metrics on validation and test after each epoch."""
    key, source = Key(str(workload.seed)), loaded.sources["train"]
    network = build_network(loaded.problem, loaded.tasks, key / "init")
    optimizer = torch.optim.Adam(
        network.parameters(), lr=point.lr, weight_decay=point.weight_decay, fused=fused_adam or None
    )
    weights = torch.tensor(point.weights)
    for epoch in range(1, workload.epochs + 1):
        order = torch.randperm(source.size, generator=(key / "order" / epoch).generator())
        for rows in torch.split(order, workload.batch_size):
            targets = {task: whole[rows] for task, whole in source.targets.items()}
            losses = _losses(network(source.inputs[rows]), targets)
            total = weights @ torch.stack(list(losses.values()))
            optimizer.zero_grad()
            total.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        yield {
            f"{split}/{name}": value
            for split in ("validation", "test")
            for name, value in _evaluated(network, loaded.sources[split]).items()
        }


def _losses(outputs: Outputs, targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """L1 of numbers, cross-entropy of classes."""
    return {
        task: functional.l1_loss(outputs[task].squeeze(1), target)
        if target.is_floating_point()
        else functional.cross_entropy(outputs[task], target)
        for task, target in targets.items()
    }


@torch.no_grad()
def _evaluated(network: MultiTaskNetwork, source: TensorSource) -> dict[str, float]:
    """Loss and metric of each task on a whole split."""
    network.eval()
    outputs = network(source.inputs)
    values = {}
    for task, loss in _losses(outputs, source.targets).items():
        output, target = outputs[task], source.targets[task]
        values[f"{task}/loss"] = loss.item()
        if target.is_floating_point():
            values[f"{task}/mae"] = loss.item()
        else:
            wrong = output.argmax(dim=1) != target
            values[f"{task}/error_rate"] = wrong.float().mean().item()
    network.train()
    return values
