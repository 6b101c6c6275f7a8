"""DeepLabV3 in the solo engine beside a plain loop: ``python -m benchmarks.dense``.

Segmentation, depth and normals of images that are drawn, NYUv2's at ``--size 288 384 --batch-size
8``, equal weights, Adam. Prints a table and, last, one JSON object:

- ``plain_s``, ``step_ratio``: of a step by hand, the median (processor time, one thread; on a GPU
  by the clock); our time over theirs, the median of steps that are taken in turns;
- ``plain_mib``, ``memory_ratio``, ``parts_memory_ratio``: most memory beyond what a process has
  before its first step, by hand; ours over that, of whole batches and with ``micro_batch_size``.
  Each way is a process of its own;
- ``parts_step_ratio``: time of our steps with ``micro_batch_size`` over those by hand;
- ``checkpoint_mib``, ``save_s``, ``load_s``, ``plain_save_s``: a checkpoint of that network with
  ResNet-101, written and read by us; by `torch.save` and a flush to the disk.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from trainers.cards import ProblemCard
from trainers.engines import open_session
from trainers.engines.fused.forward import task_functions as functions_of
from trainers.engines.solo.engine import begun
from trainers.engines.solo.run import SoloRun
from trainers.jobs import Job, Pack, ProblemRef, Training
from trainers.keeping import checkpoints
from trainers.nets import ImageNetwork
from trainers.network import build_network
from trainers.problems import TensorSource
from trainers.problems._dense_tasks import n_outputs, task_cards, task_functions
from trainers.protocol import Batch, TaskFunctions
from trainers.randomness import Key

TASKS = ("segmentation", "depth", "normal")
N_CLASSES = 13
WAYS = ("plain", "whole", "parts")
Step = Callable[[Batch], None]


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """As many images as a batch has, the same in every split."""

    size: tuple[int, int]
    n: int
    depth: int

    @property
    def card(self) -> ProblemCard:
        """What the problem is."""
        return ProblemCard(
            name="drawn",
            title="Drawn images",
            kind="composed",
            source="drawn",
            data_version="1",
            tasks=task_cards(TASKS, depth="Depth", unit="m"),
            sizes=dict.fromkeys(("train", "validation", "test"), self.n),
            network=self._network.title,
            convolutional=True,
        )

    def sources(self, device: torch.device) -> Mapping[str, TensorSource]:
        """One batch for all splits."""
        drawn, shape = Key("drawn").generator(), (self.n, *self.size)
        images = torch.randn(self.n, 3, *self.size, generator=drawn)
        targets = {
            "segmentation": torch.randint(-1, N_CLASSES, shape, generator=drawn).to(device),
            "depth": images[:, :1].exp().to(device),
            "normal": nn.functional.normalize(images, dim=1).to(device),
        }
        source = TensorSource(images.to(device), targets)
        return dict.fromkeys(("train", "validation", "test"), source)

    def trunk(self) -> nn.Module:
        """The shared part."""
        return self._network.trunk()

    def head(self, task: str) -> nn.Module:
        """The part of one task."""
        return self._network.head(n_outputs(task, N_CLASSES))

    def functions(self, task: str) -> TaskFunctions:
        """Loss and metrics of one task."""
        return task_functions(task, N_CLASSES)

    @property
    def _network(self) -> ImageNetwork:
        return ImageNetwork(name="deeplabv3", layers=self.depth)


def main() -> None:
    """Compare the ways, or be one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, nargs=2, default=[96, 128])
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--micro-batch-size", type=int, default=2)
    parser.add_argument("--depth", type=int, default=50)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--memory-of", choices=WAYS)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if chosen.memory_of:
        print(json.dumps(_peak_mib(chosen, chosen.memory_of)))
        return
    figures = {**_memory(), **_times(chosen), **_checkpoint(chosen)}
    for name, value in figures.items():
        print(f"{name:20} {value:10.3f}")
    print(json.dumps({**vars(chosen), **figures}))


def _memory() -> dict[str, float]:
    def of(way: str) -> float:
        command = [sys.executable, "-m", "benchmarks.dense", *sys.argv[1:], "--memory-of", way]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return float(json.loads(said))

    plain, whole, parts = map(of, WAYS)
    ratios = {"memory_ratio": whole / plain, "parts_memory_ratio": parts / plain}
    return {"plain_mib": plain, **ratios}


def _peak_mib(chosen: argparse.Namespace, way: str) -> float:
    step, batch = _way(chosen, way)
    cuda = chosen.device.startswith("cuda")
    before = 0 if cuda else _most_kib()
    for _ in range(2):
        step(batch)
    return torch.cuda.max_memory_allocated() / 2**20 if cuda else (_most_kib() - before) / 2**10


def _most_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _times(chosen: argparse.Namespace) -> dict[str, float]:
    ways = {way: _way(chosen, way) for way in WAYS}
    taken: dict[str, list[float]] = {way: [] for way in WAYS}
    for number in range(chosen.steps + 1):
        for way, (step, batch) in ways.items():
            began = _now_s(chosen.device)
            step(batch)
            if number:  # the first one warms up
                taken[way].append(_now_s(chosen.device) - began)

    def ratio(way: str) -> float:
        pairs = zip(taken[way], taken["plain"], strict=True)
        return statistics.median(ours / theirs for ours, theirs in pairs)

    return {
        "plain_s": statistics.median(taken["plain"]),
        "step_ratio": ratio("whole"),
        "parts_step_ratio": ratio("parts"),
    }


def _now_s(device: str) -> float:
    if device == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def _way(chosen: argparse.Namespace, way: str) -> tuple[Step, Batch]:
    """A step, and a batch to take it on."""
    if way == "plain":
        return _plain(chosen)
    size = chosen.micro_batch_size if way == "parts" else None
    run = _run(chosen, chosen.depth, size)
    run.begin_epoch(10**6)
    return run.train_on, _batch(run)


def _run(chosen: argparse.Namespace, depth: int, micro_batch_size: int | None) -> SoloRun:
    problem = Drawn(size=tuple(chosen.size), n=chosen.batch_size, depth=depth)
    training = Training(epochs=2, batch_size=chosen.batch_size, micro_batch_size=micro_batch_size)
    job = Job(run=1, token=1, weighting="ew", tasks=TASKS, lr=1e-4)
    ref = ProblemRef(target="drawn")
    pack = Pack(problem=ref, training=training, seed=0, until_epoch=2, jobs=(job,))
    return begun(job, pack, open_session(problem, chosen.device))


def _batch(run: SoloRun) -> Batch:
    source = run.session.sources["train"]
    return next(iter(source.batches(None, source.size, Key("benchmark"))))


def _plain(chosen: argparse.Namespace) -> tuple[Step, Batch]:
    problem = Drawn(size=tuple(chosen.size), n=chosen.batch_size, depth=chosen.depth)
    device = torch.device(chosen.device)
    network = build_network(problem, TASKS, Key("0") / "init").to(device)
    functions = functions_of(problem, TASKS)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4, fused=True)

    def step(batch: Batch) -> None:
        outputs = network(batch.inputs)
        losses = [of.loss(outputs[task], batch.targets[task]) for task, of in functions.items()]
        optimizer.zero_grad()
        sum(losses).backward()  # type: ignore[union-attr]
        optimizer.step()

    source = problem.sources(device)["train"]
    return step, next(iter(source.batches(None, source.size, Key("benchmark"))))


def _checkpoint(chosen: argparse.Namespace) -> dict[str, float]:
    run = _run(chosen, 101, None)
    run.begin_epoch(10**6)
    run.train_on(_batch(run))
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder, "ours.pt"), Path(folder, "theirs.pt")
        began_s = time.perf_counter()
        size = checkpoints.save_runs({1: run.state_dict()}, str(ours))
        saved_s = time.perf_counter()
        checkpoints.load(str(ours))
        loaded_s = time.perf_counter()
        with theirs.open("wb") as file:
            torch.save([run.network.state_dict(), run.optimizer.state_dict()], file)
            file.flush()
            os.fsync(file.fileno())
        plain_s = time.perf_counter() - loaded_s
    return {
        "checkpoint_mib": size / 2**20,
        "save_s": saved_s - began_s,
        "load_s": loaded_s - saved_s,
        "plain_save_s": plain_s,
    }


if __name__ == "__main__":
    main()
