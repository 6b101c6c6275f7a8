"""The fused engine: runs of the same tasks are trained as one stacked model.

Shapes: K runs of a stack.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import replace

from trainers.engines.fused.forward import Forward, task_functions
from trainers.engines.fused.member import Member, MemberFactory
from trainers.engines.fused.padding import n_padding_rows_of
from trainers.engines.fused.stack import Stack
from trainers.engines.session import Session
from trainers.engines.stepping import grad_evals
from trainers.evaluation import Value
from trainers.events import CheckpointSkipped
from trainers.jobs import Job, Pack
from trainers.keeping.checkpoints import State
from trainers.network import build_network
from trainers.randomness import Key


class Stacks:
    """Makes stacks of a pack's runs of the same tasks."""

    def __init__(self, tasks: tuple[str, ...], pack: Pack, session: Session) -> None:
        self._pack, self.session, self.training = pack, session, pack.training
        network = build_network(session.problem, tasks, Key(str(pack.seed)) / "init")
        functions = task_functions(session.problem, tasks)
        self.forward = Forward(network.to(session.device), functions, pack.training.precision)
        self._opening = MemberFactory(self.forward.network, pack.training)

    def opened(self, job: Job, skip: Callable[[CheckpointSkipped], None]) -> Member:
        """A run as a member of a stack to be."""
        return self._opening.member(job, skip)

    def together(self, runs: Sequence[Member]) -> StackedTeam:
        """The stack of runs that stand at the same epoch."""
        return StackedTeam(self.stack(runs), self)

    def stack(self, members: Sequence[Member]) -> Stack:
        """A stack with as many padding rows as its operations need."""
        return Stack(
            members,
            self.forward,
            pack=self._pack,
            session=self.session,
            n_padding_rows=n_padding_rows_of(
                self.session, tuple(self.forward.functions), self._pack.training
            ),
        )


class StackedTeam:
    """A stack on its way through the epochs; an exception in it is one of all its runs."""

    def __init__(self, stack: Stack, stacks: Stacks) -> None:
        self._stack, self._stacks = stack, stacks

    @property
    def jobs(self) -> Sequence[Job]:
        """The runs, in the order of the rows."""
        return [member.job for member in self._stack.members]

    @property
    def epoch(self) -> int:
        """Epochs they have done."""
        return self._stack.epoch

    @property
    def flops(self) -> Sequence[float]:
        """Estimated operations of an epoch of each run."""
        tasks = tuple(self._stacks.forward.functions)
        flops = self._stacks.session.epoch_flops(tasks, self._stacks.training)
        return [flops] * len(self._stack.members)

    @property
    def grad_evals(self) -> Sequence[int]:
        """Gradients through the trunk in a step of each run."""
        return [
            grad_evals(member.weighting, self._stacks.training, len(member.job.tasks))
            for member in self._stack.members
        ]

    def trace(self, runs: Container[int]) -> None:
        """Note the losses of these runs in each step from now on."""
        self._stack.trace(runs)

    def traced(self) -> dict[int, list[list[float]]]:
        """What was noted, ``[N, T]`` by run; then no more is."""
        return self._stack.traced()

    def train_epoch(self) -> tuple[list[list[Value]], int]:
        """Train one epoch; returns each run's train values and the number of steps."""
        return self._stack.train_epoch()

    def evaluate(self, split: str) -> list[list[Value]]:
        """Losses and metrics of each run on one split."""
        return self._stack.evaluate(split)

    def states(self) -> list[State]:
        """Each run's state as the solo engine has it."""
        return self._stack.states()

    def networks(self, runs: Container[int]) -> dict[int, State]:
        """``network`` and ``outside`` of the states of these runs: copies on the CPU."""
        return self._stack.networks(runs)

    def kept(self, runs: Container[int]) -> StackedTeam:
        """The stack of those runs only, which go on as if the others had never been there."""
        states = zip(self._stack.members, self._stack.states(), strict=True)
        members = [replace(member, state=state) for member, state in states]
        stack = self._stacks.stack([member for member in members if member.job.run in runs])
        return StackedTeam(stack, self._stacks)
