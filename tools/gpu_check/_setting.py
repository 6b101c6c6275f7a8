"""Where the steps run and how large they are, and what they share."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import torch

from tools.gpu_check.problems import PROBLEMS, Synthetic
from trainers.engines import Session, open_session
from trainers.engines.fused.engine import Stacks
from trainers.engines.fused.stack import Stack
from trainers.hardware import gpu
from trainers.jobs import Job, Pack, Precision, ProblemRef, Training
from trainers.keeping.checkpoints import State

Found = dict[str, Any]
"""What a step says: JSON values; ``ok`` is false if a promise is broken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where and how large.

    Attributes:
        patience: Factor on all limits of time.
        small: As few and as small as shows that the steps themselves work.
        folder: For files that go with the step.
    """

    device: str
    small: bool
    folder: Path
    patience: float = 1.0

    @property
    def cuda(self) -> bool:
        """Whether there is a GPU to speak of."""
        return self.device.partition(":")[0] == "cuda"

    @property
    def where(self) -> torch.device:
        """The device with its number."""
        return torch.device(self.device if ":" in self.device or not self.cuda else "cuda:0")

    def pick(self, small: Any, whole: Any) -> Any:
        """One of two values, by size."""
        return small if self.small else whole


def session_of(name: str, setting: Setting, precision: Precision = "float32") -> Session:
    """A problem on the device, by the rules of a worker; the first call starts CUDA."""
    if not (precision == "tf32" and not setting.cuda):
        gpu.prepare(setting.device, precision)
    torch.set_num_threads(1)
    return open_session(problem_of(name, setting), str(setting.where))


def problem_of(name: str, setting: Setting) -> Synthetic:
    """A problem of this size."""
    return PROBLEMS[name](small=setting.small)


def jobs(n: int, *, weightings: Sequence[str] = ("ew",), n_rates: int = 36) -> list[Job]:
    """Runs of all tasks that differ in their rates and weightings."""
    return [
        Job(
            run=run,
            token=1,
            weighting=weightings[run % len(weightings)],
            tasks=Synthetic.tasks,
            lr=1e-3 * (1 + run % n_rates),
            address=f"run {run}",
        )
        for run in range(1, n + 1)
    ]


def a_pack(some: Sequence[Job], *, rows: int | None = None, **training: Any) -> Pack:
    """A fused pack of runs; `rows` of a stack."""
    chosen = Training(**{"epochs": 3, "batch_size": 64, **training})
    return Pack(
        problem=ProblemRef(target=""),
        training=chosen,
        seed=7,
        until_epoch=chosen.epochs,
        jobs=tuple(some),
        engine="fused",
        rows=rows,
    )


def team_of(pack: Pack, session: Session) -> Stack:
    """The pack as one stack, before its first epoch."""
    stacks = Stacks(pack.jobs[0].tasks, pack, session)
    return stacks.together([stacks.opened(job, lambda _skipped: None) for job in pack.jobs])


def final_states(pack: Pack, session: Session) -> dict[int, State]:
    """State of each run after all epochs, evaluation included, by its number."""
    team = team_of(pack, session)
    while team.epoch < pack.until_epoch:
        team.train_epoch()
        team.evaluate("validation")
    states = [  # copies: the next stack may lie where this one does
        torch.utils._pytree.tree_map_only(torch.Tensor, torch.clone, state)
        for state in team.states()
    ]
    return {job.run: state for job, state in zip(team.jobs, states, strict=True)}


def tensors(state: Any) -> list[torch.Tensor]:
    """All tensors of a state in one order."""
    leaves = torch.utils._pytree.tree_leaves(state)
    return [leaf.detach().cpu() for leaf in leaves if isinstance(leaf, torch.Tensor)]


def same(left: Any, right: Any) -> bool:
    """Whether two states hold the same bits."""
    pairs = list(zip(tensors(left), tensors(right), strict=True))
    return all(a.shape == b.shape and torch.equal(a, b) for a, b in pairs)


def seconds_each(
    works: Mapping[str, Callable[[], object]],
    device: torch.device,
    *,
    warm: int,
    steps: int,
    rounds: int = 3,
) -> dict[str, float]:
    """Seconds a call of each work: the median of some rounds, in which they take turns."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        for _ in range(warm):
            work()
    for _ in range(rounds):
        for name, work in works.items():
            found[name].append(_timed(work, device, steps))
    return {name: median(times) for name, times in found.items()}


def _timed(work: Callable[[], object], device: torch.device, steps: int) -> float:
    """Seconds a call, by the device's own clock."""
    if device.type != "cuda":
        began = perf_counter()
        for _ in range(steps):
            work()
        return (perf_counter() - began) / steps
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize(device)
    start.record()
    for _ in range(steps):
        work()
    end.record()
    torch.cuda.synchronize(device)
    return start.elapsed_time(end) / 1e3 / steps


def goal(value: float, wanted: float, *, at_least: bool = True) -> Found:
    """A figure beside the one that is to be reached; no promise."""
    met = value >= wanted if at_least else value <= wanted
    return {"value": value, "goal": wanted, "met": met}


def as_line(found: Found) -> str:
    """One line of JSON; floats of four digits."""

    def rounded(value: Any) -> Any:
        if isinstance(value, float):
            return float(f"{value:.4g}")
        if isinstance(value, dict):
            return {str(key): rounded(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [rounded(inner) for inner in value]
        return value

    return json.dumps(rounded(found))
