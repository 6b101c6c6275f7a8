"""A run has the same bits in packs of 1, 2, 7 and 36, in any order."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tools.gpu_check._setting import (
    Found,
    Setting,
    a_pack,
    final_states,
    jobs,
    same,
    session_of,
    team_of,
)
from trainers.engines import Session
from trainers.engines.one_epoch import batches
from trainers.jobs import Job, Precision
from trainers.randomness import Key

ROWS = 36
CASES: list[tuple[str, tuple[str, ...], Precision]] = [
    ("mlp", ("ew",), "float32"),
    ("lenet", ("ew",), "float32"),
    ("dropping", ("uw", "ew", "dwa"), "float32"),
    ("mlp", ("ew",), "bfloat16"),
    ("lenet", ("ew",), "bfloat16"),
]


def check(setting: Setting) -> Found:
    """Train packs of all sizes and compare the runs that they share, bit by bit."""
    found: Found = {}
    for name, weightings, precision in CASES:
        if setting.small and precision != "float32":
            continue
        found[f"{name} {precision}"] = _case(name, weightings, precision, setting)
    return {"ok": all(case["same"] for case in found.values()), "cases": found}


def _case(name: str, weightings: tuple[str, ...], precision: Precision, setting: Setting) -> Found:
    session = session_of(name, setting, precision)
    rows = setting.pick(8, ROWS)
    chosen = {"precision": precision, "epochs": 2}
    everyone = jobs(rows, weightings=weightings)
    # a CPU's rows are fixed here, too: padding changes nothing where each row is by itself
    whole = final_states(a_pack(everyone, rows=rows, **chosen), session)
    differing: list[list[int]] = []
    for size in setting.pick((1, 3), (1, 2, 7, 36)):
        some = random.Random(size).sample(everyone, size)
        states = final_states(a_pack(some, rows=rows, **chosen), session)
        differing += [[size, run] for run, state in states.items() if not same(state, whole[run])]
    if not differing:
        return {"same": True}
    size, run = differing[0]
    some = random.Random(size).sample(everyone, size)
    first = _first_difference(run, everyone, some, rows, session, chosen)
    return {"same": False, "differing": len(differing), "first": differing[0], "operation": first}


def _first_difference(
    run: int,
    everyone: list[Job],
    some: list[Job],
    rows: int,
    session: Session,
    chosen: Mapping[str, Any],
) -> str:
    """The first operation of a step that gives the run other numbers in the other pack."""
    recorded = [_recorded(run, each, rows, session, chosen) for each in (everyone, some)]
    for (name, left), (_, right) in zip(*recorded, strict=False):
        if left is not None and right is not None and not torch.equal(left, right):
            return name
    return "none of the first step"


def _recorded(
    run: int, some: list[Job], rows: int, session: Session, chosen: Mapping[str, Any]
) -> list[tuple[str, torch.Tensor | None]]:
    pack = a_pack(some, rows=rows, **chosen)
    stack = team_of(pack, session)
    row = [member.job.run for member in stack.members].index(run)
    stack._optimizer.begin_epoch(1)
    for part in stack._weighed:
        part.begin_epoch(Key("7"), 1, 1)
    batch = next(iter(batches(session, pack.training, Key("7"), 1)))
    recorder = _Recorder(row, rows)
    with recorder:
        stack._step(batch, 0)
    return recorder.found


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Keeps one row of what every operation gives, where rows come first."""

    def __init__(self, row: int, n_rows: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._row, self._n_rows = row, n_rows
        self.found: list[tuple[str, torch.Tensor | None]] = []

    def __torch_dispatch__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for leaf in torch.utils._pytree.tree_leaves(result):
            kept = None
            if isinstance(leaf, torch.Tensor) and leaf.ndim and leaf.shape[0] == self._n_rows:
                kept = leaf.detach()[self._row].cpu().clone()
            self.found.append((str(func), kept))
        return result
