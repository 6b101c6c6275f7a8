"""One training from scratch on some labels: the engines' own, of one network or a stack of them.

Shapes: N training samples, K networks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from trainers.engines.fused.engine import Stacks
from trainers.engines.segment import Team
from trainers.engines.session import Session
from trainers.engines.solo.engine import Solos
from trainers.errors import CheckpointUnreadable
from trainers.events import CheckpointSkipped
from trainers.jobs import Checkpoint, Job, Pack, ProblemRef, Training
from trainers.keeping.checkpoints import State
from trainers.network import MultiTaskNetwork, build_network
from trainers.problems._numbered import NumberedSource
from trainers.protocol import Source
from trainers.randomness import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSetup:
    """What all trainings of a run share.

    Attributes:
        session: The problem, with the labels that are given.
        task: The one that the networks learn.
        training: For the epochs of one training.
        n_networks: K, each from weights of its own, with one order of samples for all.
        stacked: They are trained as one stack, with one dropout mask for all; else side by side.
        seed: Of the run.
    """

    session: Session
    task: str
    training: Training
    n_networks: int
    stacked: bool
    lr: float
    seed: int


class Trained:
    """K networks that are trained on some labels, between two epochs.

    The first training of a run has the draws that a single-task run of its seed has; each of the
    later ones an order of samples and weights of its own.

    Args:
        labels: ``[N]``, int64, on the CPU; missing ones are what they were.
        kept: Numbers ``[n]`` of the samples that are trained on; of fewer than all as many steps.
        number: Of the training, from 1.
        resume: Where its networks have been left; None: it begins.

    Raises:
        CheckpointUnreadable: The checkpoint is torn, or of other networks.
    """

    def __init__(
        self, asked: RunSetup, labels: Tensor, kept: Tensor, number: int, resume: Checkpoint | None
    ) -> None:
        self._asked, session, task = asked, asked.session, asked.task
        train = session.sources["train"]
        self._session = replace(
            session,
            sources={**session.sources, "train": Relabelled(train, task, labels)},
            labelled={task: kept} if len(kept) < train.size else {},
        )
        key = Key(str(asked.seed)) / "training" / number
        pack = _pack(asked, asked.seed if number == 1 else key.seed, resume)
        self._team = _opened(pack, self._session, task)
        self._networks = [
            build_network(session.problem, (task,), Key("shape")).to(session.device)
            for _ in pack.jobs
        ]

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return self._team.epoch

    @property
    def flops(self) -> float:
        """Estimated operations of an epoch, validation and test included."""
        return sum(self._team.flops)

    @property
    def n_samples(self) -> int:
        """Samples that go through a network in an epoch, of all networks together."""
        n_of_one = self._asked.training.samples_of(self._session.sources["train"].size)
        return n_of_one * self._asked.n_networks

    def states(self) -> dict[int, State]:
        """What to go on from, by network."""
        return {job.run: of for job, of in zip(self._team.jobs, self._team.states(), strict=True)}

    def train_epoch(self) -> tuple[list[float], int]:
        """Train one epoch; returns the networks' mean losses, and gradients that were worked out.

        Raises:
            Exception: What a part of the problem has raised.
        """
        results, n_steps = self._team.train_epoch()
        losses = []
        for values in results:
            if isinstance(values, Exception):
                raise values
            losses += [value for _, _, name, value in values if name == "loss"]
        return losses, n_steps * sum(self._team.grad_evals)

    def networks(self) -> list[MultiTaskNetwork]:
        """Copies of the networks as they are now; the next call fills the same ones."""
        for network, state in zip(self._networks, self._team.states(), strict=True):
            network.load_state_dict(state["network"])
            outside = dict(network.named_buffers())
            for name, value in state.get("outside", {}).items():
                outside[name].copy_(value)
        return self._networks


class Relabelled(NumberedSource):
    """Training samples with other labels of one task.

    Args:
        labels: ``[N]``, int64, on the CPU; -1 where the target is left as it is.
    """

    def __init__(self, source: Source, task: str, labels: Tensor) -> None:
        super().__init__(source)
        self._task, self._labels = task, labels

    def changed(self, targets: Mapping[str, Any], rows: Tensor) -> dict[str, Any]:
        """With those labels, in the type of the target ``[B]`` and where that lies."""
        target = targets[self._task]
        labels = self._labels[rows].to(target.device)
        found = labels.to(target.dtype).reshape(target.shape)
        return {**targets, self._task: found.where((labels >= 0).reshape(target.shape), target)}


def checkpoint(path: Path, epoch: int) -> Checkpoint:
    """Where a training has been left."""
    return Checkpoint(path=str(path), epoch=epoch)


def _pack(asked: RunSetup, seed: int, resume: Checkpoint | None) -> Pack:
    jobs = tuple(
        Job(
            run=place,
            token=0,
            weighting="ew",
            tasks=(asked.task,),
            lr=asked.lr,
            resume=() if resume is None else (resume,),
        )
        for place in range(asked.n_networks)
    )
    return Pack(
        problem=ProblemRef(target=asked.session.problem.card.name),
        training=asked.training,
        seed=seed,
        until_epoch=asked.training.epochs,
        jobs=jobs,
        device=str(asked.session.device),
        engine="fused" if asked.stacked else "solo",
    )


def _opened(pack: Pack, session: Session, task: str) -> Team:
    """The networks of a training; all but the first begin from weights of their own."""
    key, begins = Key(str(pack.seed)) / "init" / "network", not pack.jobs[0].resume
    weights = [
        build_network(session.problem, (task,), key / place).state_dict()
        for place in range(1, len(pack.jobs) if begins else 1)
    ]
    if pack.engine == "solo":
        solos = Solos(pack, session)
        runs = [solos.opened(job, _refuse) for job in pack.jobs]
        for run, own in zip(runs[1:], weights, strict=False):
            run.network.load_state_dict(own)
        return solos.together(runs)
    stacks = Stacks((task,), pack, session)
    members = [stacks.opened(job, _refuse) for job in pack.jobs]
    for place, own in enumerate(weights, start=1):
        members[place] = replace(members[place], initial={"network": own, "outside": {}})
    return stacks.together(members)


def _refuse(skipped: CheckpointSkipped) -> None:
    """There is one checkpoint only: without it, the labels that it was trained on are gone, too."""
    raise CheckpointUnreadable(skipped.reason)
