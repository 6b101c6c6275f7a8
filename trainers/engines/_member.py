"""A run before it joins a stack: checked, with the state it goes on from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from trainers import checkpoints
from trainers.checkpoints import State
from trainers.engines.session import Session
from trainers.errors import CheckpointUnreadable
from trainers.events import CheckpointSkipped
from trainers.jobs import Checkpoint, Job, Training
from trainers.optimizers import counts_steps, slots
from trainers.weightings import HyperValue, Weighting, weighting


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One run of a stack.

    Attributes:
        hyper: Checked hyperparameters of the weighting.
        state: Where it goes on; None: it begins.
    """

    job: Job
    weighting: Weighting
    hyper: Mapping[str, HyperValue]
    state: State | None = None

    @property
    def epoch(self) -> int:
        """Epochs it has done."""
        return 0 if self.state is None else int(self.state["epoch"])


class Opening:
    """Makes members of jobs; the files of a pack are read once, however many runs they hold."""

    def __init__(self, network: nn.Module, training: Training, session: Session) -> None:
        self._network, self._training, self._session = network, training, session
        self._files: dict[str, Mapping[str, Any] | CheckpointUnreadable] = {}

    def member(self, job: Job, skip: Callable[[CheckpointSkipped], None]) -> Member:
        """The member of a job, from the newest checkpoint that is its own and can be read.

        Args:
            skip: Told of each checkpoint that cannot be used.

        Raises:
            WeightingError: The weighting is unknown, or a hyperparameter breaks its rule.
        """
        method = weighting(job.weighting)
        member = Member(job=job, weighting=method, hyper=method.checked(job.hyper, len(job.tasks)))
        for resume in job.resume:
            try:
                state = self._state(member, resume)
            except CheckpointUnreadable as error:
                skip(
                    CheckpointSkipped(
                        run=job.run, token=job.token, path=resume.path, reason=str(error)
                    )
                )
            else:
                return Member(job=job, weighting=method, hyper=member.hyper, state=state)
        return member

    def _state(self, member: Member, checkpoint: Checkpoint) -> State:
        file = self._file(checkpoint.path)
        try:
            state = checkpoints.state_of(member.job.run, file)
            for rule, found, expected in _shapes(state, member, self._network, self._training):
                if found != expected:
                    raise ValueError(f"{rule} is {found} and should be {expected}")
        except (LookupError, AttributeError, TypeError, ValueError) as error:
            raise checkpoints.misfit(Path(checkpoint.path), error) from error
        return state

    def _file(self, path: str) -> Mapping[str, Any]:
        if path not in self._files:
            try:
                self._files[path] = checkpoints.load(Path(path), str(self._session.device))
            except CheckpointUnreadable as error:
                self._files[path] = error
        file = self._files[path]
        if isinstance(file, CheckpointUnreadable):
            raise file
        return file


def _shapes(
    state: State, member: Member, network: nn.Module, training: Training
) -> Iterator[tuple[str, Any, Any]]:
    """What is to be compared before a state is taken: name, found, expected."""
    expected = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in state["network"].items()}
    yield "the network", found, expected
    per_task = (len(member.job.tasks),)
    learned = member.weighting.params(member.hyper)
    for kind, names in (("params", learned), ("state", member.weighting.state(member.hyper))):
        shapes = {name: tuple(value.shape) for name, value in state[kind].items()}
        yield f"the weighting's {kind}", shapes, dict.fromkeys(names, per_task)
    trained = [tuple(p.shape) if p.requires_grad else None for p in network.parameters()]
    kept = state["optimizer"]["state"]
    for index, shape in enumerate([*trained, *[per_task] * len(learned)]):
        if shape is None:
            continue
        for slot in slots(training):
            yield f"{slot} of parameter {index}", tuple(kept[index][slot].shape), shape
        if counts_steps(training):
            yield f"step of parameter {index}", tuple(kept[index]["step"].shape), ()
    yield "the epoch", type(state["epoch"]), int
