"""The workloads that are measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType

from benchmarks.throughput.workload import Point, Workload
from search_spaces import SimplexGrid

_TASKS = 3
_NO_OPTIONS: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Workloads:
    """All of them.

    Attributes:
        grid: (a) the grid of Scalarization on 8x8 digits.
        wide: (b) the same weights on Multi-MNIST, with a larger network and more data.
        lenet: (c) convolutions, a grid of learning rate and weight decay.
        larger: (a) with more points, for the price of one more point.
        one: One run of one epoch, for what starting takes.
    """

    grid: Workload
    wide: Workload
    lenet: Workload
    larger: Workload
    one: Workload


def measured() -> Workloads:
    """As they are reported."""
    return Workloads(
        grid=_simplex("digits", step=0.1, epochs=20),
        wide=_simplex("multimnist", step=0.1, epochs=12, lr=1e-3, options={"train_pairs": 4_000}),
        lenet=_rates("multimnist", 9, epochs=3, options={"network": "lenet"}),
        larger=_simplex("digits", step=0.0625, epochs=20),
        one=_rates("digits", 1, epochs=1),
    )


def tiny() -> Workloads:
    """The same in a few points and epochs: to see that all parties train the same."""
    return Workloads(
        grid=_simplex("digits", step=0.25, epochs=2),
        wide=_simplex("multimnist", step=0.25, epochs=1),
        lenet=_rates("multimnist", 2, epochs=1, options={"network": "lenet"}),
        larger=_simplex("digits", step=0.2, epochs=2),
        one=_rates("digits", 1, epochs=1),
    )


def _simplex(
    problem: str,
    *,
    step: float,
    epochs: int,
    lr: float = 1e-2,
    options: Mapping[str, object] = _NO_OPTIONS,
) -> Workload:
    """All weights in multiples of the step, none of them 0."""
    grid = SimplexGrid(n_tasks=_TASKS, step=step).points()
    return Workload(
        problem=problem,
        epochs=epochs,
        points=tuple(Point(lr=lr, weights=weights) for weights in grid),
        weighting="scalarization",
        stage=f"{{ task_weights = {{ simplex_step = {step} }} }}",
        options=dict(options),
    )


def _rates(
    problem: str, n: int, *, epochs: int, options: Mapping[str, object] = _NO_OPTIONS
) -> Workload:
    """The first of nine pairs of learning rate and weight decay, at equal weights of 1."""
    decays = (0.0, 1e-5, 1e-4)[:n]
    rates = (1e-3, 3e-3, 1e-2)[: -(-n // len(decays))]
    return Workload(
        problem=problem,
        epochs=epochs,
        points=tuple(
            Point(lr=lr, weight_decay=decay, weights=(1.0,) * _TASKS)
            for lr, decay in product(rates, decays)
        ),
        weighting="ew",
        stage=f"{{ lr = {list(rates)}, weight_decay = {list(decays)} }}",
        options=dict(options),
    )
