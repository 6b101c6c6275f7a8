"""The fused engine: runs of the same tasks are trained as one stacked model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from trainers.engines.fused.forward import Forward, task_functions
from trainers.engines.fused.member import Member, MemberFactory
from trainers.engines.fused.padding import n_padding_rows_of
from trainers.engines.fused.stack import Stack
from trainers.engines.session import Session
from trainers.errors import NotStackable
from trainers.events import CheckpointSkipped
from trainers.jobs import Job, Pack
from trainers.network import build_network
from trainers.randomness import Key


class Stacks:
    """Makes stacks of a pack's runs of the same tasks.

    Raises:
        NotStackable: The training section is for runs that are trained one by one.
    """

    def __init__(self, tasks: tuple[str, ...], pack: Pack, session: Session) -> None:
        if unstackable := pack.training.unstackable:
            raise NotStackable(
                f"{unstackable[0]} is for runs that are trained one by one. Got it for a stack. "
                'Take `engine = "solo"`.'
            )
        self._pack, self._session = pack, session
        network = build_network(session.problem, tasks, Key(str(pack.seed)) / "init")
        functions = task_functions(session.problem, tasks)
        self._forward = Forward(network.to(session.device), functions, pack.training.precision)
        self._opening = MemberFactory(self._forward.network, pack.training)

    def opened(self, job: Job, skip: Callable[[CheckpointSkipped], None]) -> Member:
        """A run as a member of a stack to be."""
        return self._opening.member(job, skip)

    def together(self, runs: Sequence[Member]) -> Stack:
        """The stack of runs that stand at the same epoch, with as many padding rows as it needs."""
        return Stack(
            runs,
            self._forward,
            pack=self._pack,
            session=self._session,
            n_padding_rows=n_padding_rows_of(
                self._session, tuple(self._forward.functions), self._pack.training
            ),
        )
