"""What the papers' studies would take: ``python -m benchmarks.paper_costs``.

Counts the operations of every preset that reads NYUv2, Cityscapes or CelebA, whose files need not
be there: of all runs of its plan, by their methods' passes, as a study's costs are counted (matrix
products and convolutions; evaluation included). Nothing is computed: tensors have shapes alone.
Times are these operations over what a device sustains, which is given and not measured; loading
and elementwise operations come on top. Prints a table and, last, one JSON object; for each preset:

- ``runs``: of its plan, at most;
- ``forward_gflop``: of one sample through the network of all tasks;
- ``eflop``: 1e18 operations of the whole study;
- ``gpu_days``, ``gpu_hours_a_run``, ``two_core_years``: at the rates.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from study.catalogue import presets
from study.planning.plan import Plan, make_plan
from trainers.engines.session import Session
from trainers.network import MultiTaskNetwork
from trainers.problems import build
from trainers.protocol import Batch
from trainers.randomness import Key
from trainers.resources import forward_flops
from trainers.weightings import weighting

_DAY_S = 86_400
_YEAR_DAYS = 365
SHAPELESS = torch.device("meta")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gpu-tflops", type=float, default=10.0, help="sustained by a GPU")
    parser.add_argument("--core-gflops", type=float, default=80.0, help="sustained by a core")
    parser.add_argument("--presets", nargs="+", default=[*_of_files()])
    chosen = parser.parse_args()
    figures = {
        name: {of: round(value, 2) for of, value in costs(name, chosen).items()}
        for name in chosen.presets
    }
    for name, found in figures.items():
        print(f"{name:33} " + "  ".join(f"{of} {value:,.1f}" for of, value in found.items()))
    print(json.dumps({**vars(chosen), "figures": figures}))


def _of_files() -> Iterator[str]:
    """Presets of single studies whose data is not in a package."""
    for name, spec in presets().items():
        if spec.problem in ("nyuv2", "cityscapes", "celeba"):
            yield name


def costs(name: str, at: argparse.Namespace) -> dict[str, float]:
    """Figures of a preset, at the rates of a GPU and of a core."""
    plan = make_plan(presets()[name])
    session = shapeless(plan)
    flops = len(plan.spec.seeds) * sum(
        session.epoch_flops(search.tasks, plan.training, weighting(search.weighed_by))
        * search.expected_epochs(plan.training)
        for search in plan.searches
    )
    gpu_days = flops / (at.gpu_tflops * 1e12) / _DAY_S
    return {
        "runs": plan.expected_runs,
        "forward_gflop": session.flops[plan.card.task_names][0] / 1e9,
        "eflop": flops / 1e18,
        "gpu_days": gpu_days,
        "gpu_hours_a_run": 24 * gpu_days / plan.expected_runs,
        "two_core_years": flops / (2 * at.core_gflops * 1e9) / _DAY_S / _YEAR_DAYS,
    }


def shapeless(plan: Plan) -> Session:
    """A session whose samples and parameters have shapes and no numbers."""
    problem = build(plan.problem)
    size = problem.size  # type: ignore[attr-defined]
    pixels = (size, size) if isinstance(size, int) else tuple(size)
    sources = {split: _Shapes(n, pixels) for split, n in plan.card.sizes.items()}
    flops = {}
    for tasks in {(), plan.card.task_names, *(search.tasks for search in plan.searches)}:
        with SHAPELESS:
            network = MultiTaskNetwork(problem.trunk(), {of: problem.head(of) for of in tasks})
        forward = forward_flops(network, sources["train"])
        flops[tasks] = (forward, forward)
    return Session(problem=problem, sources=sources, device=SHAPELESS, flops=flops)


@dataclass(frozen=True)
class _Shapes:
    size: int
    pixels: tuple[int, ...]

    def batches(self, order: Tensor | None, batch_size: int, key: Key) -> Iterator[Batch]:  # noqa: ARG002
        yield Batch(inputs=torch.empty(batch_size, 3, *self.pixels, device=SHAPELESS), targets={})


if __name__ == "__main__":
    main()
