"""Networks of runs that are done: which epochs' are kept, and the files they are in.

A file holds ``{"network": state_dict, "outside": {...}}`` of one run after one epoch, on the CPU:
keys as the plain network's own, and what the network keeps outside its ``state_dict``, see
`trainers.engines.looking.outside`.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.utils._pytree import tree_map_only

from trainers.errors import NetworkUnreadable
from trainers.events import EpochDone, NetworkFile, NetworksKept, Seconds
from trainers.jobs import InitialNetwork, Job, Pack
from trainers.keeping import paths
from trainers.keeping.checkpoints import State

MOST = 8
"""Epochs of a run whose networks are held at a time."""
NetworkCopy = Callable[[], State]
"""Puts ``network`` and ``outside`` of a run's state together, from a copy that training leaves
alone: most copies are beaten before anybody asks for them."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A network after an epoch, with its metrics ``[M]``; lower is better."""

    epoch: int
    values: list[float]
    network: NetworkCopy


class Candidates:
    """Networks of one run at those of its epochs that may yet be selected.

    delta_m is a sum of all metrics with weights that the baseline makes, and the baseline may come
    after the run. Whatever they are, they are positive: an epoch that an earlier one equals or
    beats in every metric is never selected, nor is one that a later one beats. Of more than `MOST`
    that are left, the one with the worst delta_m goes, if the run's own best were the baseline.

    Args:
        job: Says by what an epoch is selected; None for its `select_by` keeps nothing.
        kept: What `state` gave in an earlier attempt.
    """

    def __init__(self, job: Job, kept: Sequence[State] = ()) -> None:
        self._metrics = job.select_by
        self._kept = [
            _Candidate(one["epoch"], one["values"], partial(dict, one))
            for one in (() if job.select_by is None else kept)
        ]

    def wants(self, done: EpochDone, *, last: bool) -> bool:
        """Whether the network as it is after this epoch is to be added.

        Args:
            last: The run ends with it.
        """
        if not self._metrics:
            return last and self._metrics is not None
        values = self._values(done)
        return not any(_beats(before.values, values) for before in self._kept)

    def add(self, done: EpochDone, copy: NetworkCopy) -> None:
        """Add the network after an epoch that is wanted."""
        values = self._values(done)
        self._kept = [before for before in self._kept if not _beats(values, before.values)]
        self._kept.append(_Candidate(done.epoch, values, copy))
        if len(self._kept) > MOST:
            del self._kept[_furthest([one.values for one in self._kept])]

    def state(self) -> list[State]:
        """What a checkpoint must hold to go on with."""
        return [{**one.network(), "epoch": one.epoch, "values": one.values} for one in self._kept]

    def write(self, folder: str, job: Job) -> list[NetworkFile]:
        """Write a file each, whole or not at all.

        Raises:
            OSError: The disk is full or the folder not writable.
        """
        return [_written(folder, job, one) for one in self._kept]

    def _values(self, done: EpochDone) -> list[float]:
        """``[M]`` of the metrics that count; lower is better."""
        found = {(task, name): of for split, task, name, of in done.values if split == "validation"}
        return [
            found[task, name] if direction == "min" else -found[task, name]
            for task, name, direction in self._metrics or ()
        ]


class KeptNetworks:
    """The candidates of a pack's runs; none where the pack keeps no files, or cannot."""

    def __init__(self, pack: Pack) -> None:
        self._folder = None if pack.unsaved else pack.checkpoints
        self._epochs = pack.training.epochs
        self._of: dict[int, Candidates] = {}

    def begin(self, job: Job, kept: Sequence[State]) -> None:
        """A run is opened, with what an earlier attempt has kept of it."""
        if self._folder is not None and job.select_by is not None:
            self._of[job.run] = Candidates(job, kept)

    def look(
        self,
        epoch: Iterable[EpochDone],
        networks: Callable[[Container[int]], Mapping[int, NetworkCopy]],
    ) -> bool:
        """Add the networks of an epoch that may be selected; returns whether there were any.

        Args:
            networks: Copies of the networks of runs as they are now, by run.
        """
        wanted = {
            done.run: done
            for done in epoch
            if done.run in self._of
            and self._of[done.run].wants(done, last=done.epoch >= self._epochs)
        }
        found = networks(wanted) if wanted else {}
        for run, done in wanted.items():
            self._of[run].add(done, found[run])
        return bool(wanted)

    def state(self, run: int) -> dict[str, list[State]]:
        """What a run's checkpoint must hold beside its state; empty if nothing is kept."""
        return {"candidates": self._of[run].state()} if run in self._of else {}

    def written(self, job: Job) -> NetworksKept | None:
        """Write the networks of a run that is done; None if none is kept."""
        if job.run not in self._of or self._folder is None:
            return None
        files, failure = list[NetworkFile](), ""
        try:
            files = self._of[job.run].write(self._folder, job)
        except OSError as error:
            failure = f"It could not be written to {self._folder}: {error.strerror or error}."
        return NetworksKept(
            run=job.run, token=job.token, files=tuple(files), seconds=Seconds(), failure=failure
        )


def load(path: str, *, sha256: str) -> State:
    """Read a kept network onto the CPU.

    Raises:
        NetworkUnreadable: The file is missing, or is not the one that was written.
    """
    try:
        content = paths.content(path)
    except OSError as error:
        why = error.strerror or str(error)
        raise NetworkUnreadable(
            f"A kept network must be readable. Got {path}: {why}. On another machine, take it from "
            "there: let `--checkpoints` name a folder that all machines have, or a URL. If it is "
            "lost, `weighbridge network --retrain` of its search trains it again."
        ) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise NetworkUnreadable(
            f"A kept network must be as it was written. Got {path}, which has other bytes than "
            "the study database says. Put the file back."
        )
    return dict(torch.load(io.BytesIO(content), map_location="cpu", weights_only=True))


def initial(of: InitialNetwork, own: Mapping[str, Tensor]) -> State:
    """``network`` and ``outside`` that a run begins from, on the CPU.

    Args:
        own: State of the run's own network, name to ``[*shape]``; it may have more.

    Raises:
        NetworkUnreadable: The file is missing, or is not the one that was written, or does not fit.
    """
    found = load(of.path, sha256=of.sha256)
    for name, value in found["network"].items():
        if name not in own or own[name].shape != value.shape:
            has = list(own[name].shape) if name in own else "none of that name"
            raise NetworkUnreadable(
                "A run begins from a network with the shapes of its own. Got "
                f"{list(value.shape)} for {name} in {of.path}, where it has {has}. Take the "
                "problem's code and options of then."
            )
    return found


def _written(folder: str, job: Job, one: _Candidate) -> NetworkFile:
    name = f"network-run{job.run}-token{job.token}-epoch{one.epoch}.pt"
    return write(paths.inside(folder, name), one.network(), epoch=one.epoch)


def write(path: str, state: State, *, epoch: int) -> NetworkFile:
    """Write ``network`` and ``outside`` of a state after an epoch, whole or not at all.

    Raises:
        OSError: The disk is full or the folder not writable.
    """
    buffer = io.BytesIO()
    torch.save({part: state[part] for part in ("network", "outside")}, buffer)
    content = buffer.getvalue()
    paths.put(path, content)
    digest = hashlib.sha256(content).hexdigest()
    return NetworkFile(epoch=epoch, path=path, size_bytes=len(content), sha256=digest)


def copied(state: State) -> State:
    """``network`` and ``outside`` of a run's state, on the CPU and in memory of their own."""
    network = {name: _copied(value) for name, value in state["network"].items()}
    return {"network": network, "outside": tree_map_only(Tensor, _copied, dict(state["outside"]))}


def _copied(value: Tensor) -> Tensor:
    return value.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)


def _beats(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether no metric ``[M]`` is worse; the first to be as good has beaten the other."""
    return all(mine <= theirs for mine, theirs in zip(one, other, strict=True))


def _furthest(points: Sequence[Sequence[float]]) -> int:
    """The point ``[M]`` whose distances from the best, in shares of it, add up to most."""
    distances = [0.0] * len(points)
    for column in zip(*points, strict=True):
        best = min(column)
        for place, value in enumerate(column):
            distances[place] += (value - best) / (abs(best) or 1.0)
    return distances.index(max(distances))
