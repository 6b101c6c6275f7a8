"""A run before it joins a stack: checked, with the state it goes on from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from torch import nn

from trainers.engines.weighting_outputs import refuse_misfit
from trainers.errors import CheckpointUnreadable
from trainers.events import CheckpointSkipped
from trainers.jobs import Checkpoint, Job, Training
from trainers.keeping import checkpoints, networks
from trainers.keeping.checkpoints import State
from trainers.optimizers import optimizer
from trainers.weightings import HyperValue, Weighting, weighting

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One run of a stack.

    Attributes:
        hyper: Checked hyperparameters of the weighting.
        initial: ``network`` and ``outside`` that it begins from; None: from the pack's network.
        state: Where it goes on; None: it begins.
    """

    job: Job
    weighting: Weighting
    hyper: Mapping[str, HyperValue]
    initial: State | None = None
    state: State | None = None

    @property
    def epoch(self) -> int:
        """Epochs it has done."""
        return 0 if self.state is None else int(self.state["epoch"])

    @property
    def candidates(self) -> list[State]:
        """Networks that its checkpoint has held for it."""
        return [] if self.state is None else self.state.get("candidates", [])


class MemberFactory:
    """Makes members of jobs."""

    def __init__(self, network: nn.Module, training: Training) -> None:
        self._network, self._training = network, training
        self._files = checkpoints.Files()
        self._initial: dict[str, State] = {}  # by path

    def member(self, job: Job, skip: Callable[[CheckpointSkipped], None]) -> Member:
        """The member of a job, from the newest checkpoint that is its own and can be read.

        Args:
            skip: Told of each checkpoint that cannot be used.

        Raises:
            WeightingError: The weighting is unknown, a hyperparameter breaks its rule, it needs the
                solo engine, or returns what no step can use.
            NetworkUnreadable: The network that it begins from is gone, changed or of another shape.
        """
        method = weighting(job.weighting, job.folder)
        method.refuse_unless_fit("fused", self._training)
        hyper = method.checked(job.hyper, len(job.tasks))
        refuse_misfit(method, hyper, len(job.tasks), stacked=True)
        member = Member(job=job, weighting=method, hyper=hyper, initial=self._begins_from(job))
        return newest(job, lambda resume: self._resumed(member, resume), skip) or member

    def _begins_from(self, job: Job) -> State | None:
        if job.initial is None:
            return None
        path = job.initial.path
        if path not in self._initial:
            self._initial[path] = networks.initial(job.initial, self._network.state_dict())
        return self._initial[path]

    def _resumed(self, member: Member, checkpoint: Checkpoint) -> Member:
        return replace(member, state=self._state(member, checkpoint))

    def _state(self, member: Member, checkpoint: Checkpoint) -> State:
        file = self._files.content(checkpoint.path)
        try:
            state = checkpoints.state_for(member.job, checkpoint, file)
            for rule, found, expected in _shapes(state, member, self._network, self._training):
                if found != expected:
                    raise ValueError(f"{rule} is {found} and should be {expected}")
        except (LookupError, AttributeError, TypeError, ValueError) as error:
            raise checkpoints.misfit(checkpoint.path, error) from error
        return state


def newest(
    job: Job,
    opened: Callable[[Checkpoint], T],
    skip: Callable[[CheckpointSkipped], None],
) -> T | None:
    """A run as it goes on from the newest checkpoint that can be used; None if there is none.

    Args:
        opened: Makes the run; raises `CheckpointUnreadable` if it cannot from this one.
        skip: Told of each checkpoint that cannot be used.

    Raises:
        CheckpointUnreadable: There is none, and the run goes on from another one's.
    """
    for resume in job.resume:
        try:
            return opened(resume)
        except CheckpointUnreadable as error:
            skip(
                CheckpointSkipped(run=job.run, token=job.token, path=resume.path, reason=str(error))
            )
    if job.born:
        raise checkpoints.no_parent(job)
    return None


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
    kept, method = state["optimizer"]["state"], optimizer(training.optimizer, training.folder)
    for index, shape in enumerate([*trained, *[per_task] * len(learned)]):
        if shape is None:
            continue
        n_tasks = len(member.job.tasks) if index < len(trained) else 1
        for of in method.kept(training):
            wanted = (n_tasks, *shape) if of.per_task else shape
            yield f"{of.name} of parameter {index}", tuple(kept[index][of.name].shape), wanted
        if method.counts_steps:
            yield f"step of parameter {index}", tuple(kept[index]["step"].shape), ()
    shapes = {name: tuple(value.shape) for name, value in state.get("outside", {}).items()}
    own = {name: tuple(value.shape) for name, value in network.named_buffers()}
    yield "a buffer outside", shapes, {name: own[name] for name in shapes}
    yield "the epoch", type(state["epoch"]), int
