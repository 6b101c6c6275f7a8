"""Who is measured, and on what."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.throughput import bare, engine, ours, with_optuna, with_ray
from benchmarks.throughput.workload import Finals, Workload
from benchmarks.throughput.workloads import Workloads

Commands = list[list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One way to train a workload.

    Attributes:
        commands: What to start, all at once, in the folder; they may prepare files there.
        finals: What came of it; None: nothing is trained.
        stored: When the last result was stored in a folder; None: there are none.
        rounds: In how many rounds it takes part, where fewer than all.
    """

    commands: Callable[[Path, Workload], Commands]
    finals: Callable[[Path, Workload], Finals] | None
    stored: Callable[[Path], float] | None = None
    rounds: int | None = None


def _import_torch(_folder: Path, _workload: Workload) -> Commands:
    return [[sys.executable, "-c", "import torch"]]


OURS = "ours"
OURS_ON_RAY = "ours_on_ray"
ENGINE = "engine_alone"
BARE = "bare"
IMPORT_TORCH = "import_torch"
RAY = "ray"
RAY_REUSE = "ray_reuse"

PARTIES = {
    OURS: Party(commands=ours.commands, finals=ours.finals, stored=ours.stored),
    BARE: Party(commands=bare.commands, finals=bare.finals, stored=bare.stored),
    "bare_fused_adam": Party(
        commands=lambda folder, workload: bare.commands(folder, workload, "--fused-adam"),
        finals=bare.finals,
        stored=bare.stored,
    ),
    ENGINE: Party(commands=engine.commands, finals=bare.finals, stored=bare.stored),
    "optuna": Party(
        commands=with_optuna.commands, finals=with_optuna.finals, stored=with_optuna.stored
    ),
    RAY: Party(
        commands=with_ray.commands, finals=with_ray.finals, stored=with_ray.stored, rounds=1
    ),
    RAY_REUSE: Party(
        commands=lambda folder, workload: with_ray.commands(folder, workload, "--reuse"),
        finals=with_ray.finals,
        stored=with_ray.stored,
    ),
    OURS_ON_RAY: Party(
        commands=lambda folder, workload: ours.commands(folder, workload, "--driver", "ray"),
        finals=ours.finals,
        stored=ours.stored,
    ),
    IMPORT_TORCH: Party(commands=_import_torch, finals=None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """Parties on one workload.

    Attributes:
        name: One letter if it is compared, a word if it is for a figure of our own.
    """

    name: str
    title: str
    workload: Workload
    parties: Sequence[str]


def contests(workloads: Workloads, *, without: Sequence[str]) -> list[Contest]:
    """All that is measured in one round."""
    peers = [name for name in PARTIES if name not in (IMPORT_TORCH, OURS_ON_RAY, *without)]
    pair = (OURS, BARE)
    return [
        Contest(name="a", title="digits, MLP", workload=workloads.grid, parties=peers),
        Contest(name="b", title="Multi-MNIST, MLP", workload=workloads.wide, parties=pair),
        Contest(name="c", title="Multi-MNIST, LeNet", workload=workloads.lenet, parties=pair),
        Contest(name="larger", title="as a", workload=workloads.larger, parties=(OURS,)),
        Contest(name="one", title="as a", workload=workloads.one, parties=(OURS, IMPORT_TORCH)),
    ]
