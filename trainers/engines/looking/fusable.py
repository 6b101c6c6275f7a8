"""Whether a problem's runs can be trained as one stack, and whether they can be saved."""

from __future__ import annotations

from collections.abc import Iterable
from math import fsum, sqrt

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from trainers.engines import masks
from trainers.engines.fused.forward import task_functions, trained_parameters
from trainers.engines.fused.padding import (
    Step,
    a_forward,
    a_network,
    placed_operations,
    samples,
    stacked_step,
)
from trainers.engines.looking import stackable_rules as rules
from trainers.engines.looking.one_step import alike, alone_step, odd_metric, unused
from trainers.engines.looking.rehearsal import TOLERANCES, Rehearsal
from trainers.engines.precision import autocast
from trainers.engines.session import Session
from trainers.errors import RunsMeet, SharedModule
from trainers.evaluation import Evaluation
from trainers.events import NetworkFacts
from trainers.failures import OUT_OF_MEMORY, failure_class, told
from trainers.hardware.gpu import end_if_broken
from trainers.jobs import Precision
from trainers.network import MultiTaskNetwork
from trainers.parts import described
from trainers.randomness import Key
from trainers.reading import owned

_LARGE = 1_000_000
"""Parameters of a network with convolutions that is tried in a stack on a CPU for one step only,
where it would be trained alone in any case: more steps take seconds."""


def network_facts(session: Session, precision: Precision = "float32") -> NetworkFacts:
    """What decides the engine of a problem's runs, and whether these are saved.

    The network of all tasks is trained for a few steps, alone and in a stack. Those of each task
    are parts of it, in which some parameter may be of no use.

    Raises:
        RunsMeet: A run leaves something to the next one.
        SharedModule: The problem gives two runs the same module.
    """
    look = Look.at(session, precision)
    facts = facts_of(look)
    look.refuse_left_over()
    return facts


def facts_of(look: Look) -> NetworkFacts:
    """What a look has found."""
    return NetworkFacts(
        convolutional=look.convolutional,
        obstacle=look.obstacle(),
        streamed=look.session.streamed,
        unsaved=look.unsaved(),
    )


class Look:
    """A look at the networks of a problem."""

    def __init__(
        self, session: Session, precision: Precision, *, convolutional: bool, large: bool
    ) -> None:
        self.session, self.convolutional = session, convolutional
        self._precision, self._large = precision, large
        self._tasks = session.problem.card.task_names
        self._batch = samples(session, 3)
        self._rehearsal: Rehearsal | None = None

    @classmethod
    def at(cls, session: Session, precision: Precision) -> Look:
        """A look at a problem.

        Raises:
            SharedModule: The problem gives two runs the same module.
        """
        card = session.problem.card
        network = a_network(session, card.task_names)
        _refuse_shared(network, a_network(session, card.task_names))
        convolutional = card.convolutional or any(
            isinstance(module, nn.modules.conv._ConvNd) for module in network.modules()
        )
        n_params = sum(param.numel() for param in network.parameters() if not is_lazy(param))
        large = convolutional and n_params > _LARGE
        return cls(session, precision, convolutional=convolutional, large=large)

    def obstacle(self) -> str:
        """Why the networks cannot be stacked, as the end of a sentence; or empty."""
        found = self._of_one_step() or self._of_many_steps()
        parts = ((task,) for task in self._tasks)
        return found or next(filter(None, map(self._of_part, parts)), "")

    def unsaved(self) -> str:
        """Why runs cannot be saved, as the end of a sentence; or empty."""
        try:
            rehearsal = self.rehearsed()
            course = rehearsal.alone()
        except BaseException as error:  # which the runs will meet, and tell
            self._said_by(error)
            return ""
        if course.unsaved:
            return f"changes something that cannot be saved ({course.unsaved[0]})"
        if course.lost:
            return f"has a state that cannot be read back ({course.lost})"
        try:
            found = rehearsal.resumed(course.state)
        except BaseException as error:
            return f"cannot go on from what it has saved ({self._said_by(error)})"
        if name := rehearsal.differing(found, course.epochs[1], 1):
            return f"goes on otherwise from what it has saved ({name} differs)"
        return ""

    def left_over(self) -> str:
        """What is otherwise in a run that is trained a second time in this process; or empty."""
        rehearsal = self.rehearsed()
        pairs = zip(rehearsal.once_more().epochs, rehearsal.alone().epochs, strict=True)
        rounds = self.session.device.type != "cpu"  # there, sums come in any order
        names = (
            rehearsal.differing(found, expected, epoch, rounding=rounds)
            for epoch, (found, expected) in enumerate(pairs)
        )
        return next(filter(None, names), "")

    def refuse_left_over(self) -> None:
        """Refuse runs that depend on those before them.

        Raises:
            RunsMeet: There is something left over.
        """
        try:
            name = self.left_over()
        except BaseException as error:  # which the runs will meet, and tell
            self._said_by(error)
            return
        if name:
            raise RunsMeet(
                "A run must come out the same whatever its worker has trained before. In a few "
                f"steps that were trained twice, {name} was not. Something outlives a run: a class "
                "attribute, a global, a cache, or a generator that is not torch's. Keep it in the "
                "network or the loss, which are built anew for every run."
            )

    def rehearsed(self) -> Rehearsal:
        """A few steps of the network of all tasks."""
        if self._rehearsal is None:
            network = a_network(self.session, self._tasks)
            step = self._alone(network, self._tasks)
            self._rehearsal = Rehearsal(
                self.session,
                self._tasks,
                self._precision,
                norm=_norm(step.gradients.values()),
                size=_norm(trained_parameters(network).values()),
            )
            self._rehearsal.settle()
        return self._rehearsal

    def _alone(self, network: MultiTaskNetwork, tasks: tuple[str, ...]) -> Step:
        return alone_step(self.session, network, tasks, self._batch, self._precision)

    def _of_part(self, tasks: tuple[str, ...]) -> str:
        """About the network of one task."""
        network = a_network(self.session, tasks)
        return rules.structure(network) or unused(self._alone(network, tasks))

    def _of_one_step(self) -> str:
        batch, said = self._batch, list[str]()
        forward = a_forward(self.session, self._tasks, self._precision)
        if found := rules.structure(forward.network):
            return found
        try:
            there = masks.present(batch.targets, forward.functions)
            Key("trial").seed_global(forward.device)
            with rules.behaviour(said.append):
                stacked = stacked_step(forward, owned(batch), n_rows=2, there=there)
            alone = self._alone(a_network(self.session, self._tasks), self._tasks)
            placed = placed_operations(forward, owned(batch), owned(batch))
            odd = odd_metric(forward, batch)
        except BaseException as error:  # a user's network or loss may do anything
            why = f"does not survive `torch.func.vmap` ({self._said_by(error)})"
            return self._failing_alone() or why
        if found := "".join(said[:1]) or unused(alone):
            return found
        if not alone.losses.isfinite().all():
            return "has a loss that is not finite before it is trained, by which nothing is seen"
        if not alike(stacked, alone, TOLERANCES[self._precision]):
            return "has other losses, gradients or buffers in a stack than alone"
        return odd or self._by_place(placed)

    def _failing_alone(self) -> str:
        """What a run meets without a stack, too, in the words in which it ends; or empty."""
        network = a_network(self.session, self._tasks)
        try:
            self._alone(network, self._tasks)
            with autocast(self.session.device, self._precision):
                evaluation = Evaluation(network, task_functions(self.session.problem, self._tasks))
                evaluation.add(owned(self._batch))
            evaluation.values("validation")
        except BaseException as error:  # a user's network or loss may do anything
            return f"fails: {self._described(error)}"
        return ""

    def _said_by(self, error: BaseException) -> str:
        """Its first line; what is the device's own is raised again."""
        self._raise_of_device(error)
        return told(error).splitlines()[0]

    def _described(self, error: BaseException) -> str:
        """As a run that ends with it tells it, on one line."""
        self._raise_of_device(error)
        return " ".join(described(error).splitlines())

    def _raise_of_device(self, error: BaseException) -> None:
        end_if_broken(self.session.device)
        if failure_class(error) == OUT_OF_MEMORY:
            raise error

    def _by_place(self, placed: dict[str, int]) -> str:
        normalising = [name for name in placed if "batch_norm" in name]
        if normalising and self.session.device.type == "cpu":
            return f"normalises by an operation ({normalising[0]}) that rounds by place in a stack"
        if placed and self.session.device.type == "cpu" and torch.get_num_threads() > 1:
            return (
                f"has an operation ({min(placed)}) whose last bits depend on where a thread's "
                "share begins; with one thread it is fused"
            )
        return ""

    def _of_many_steps(self) -> str:
        if self._large and self.session.device.type == "cpu":
            return ""
        try:
            rehearsal = self.rehearsed()
            alone = [rehearsal.alone(0), rehearsal.alone(1)]
            if alone[0].attributes or alone[0].unsaved:
                place = [*alone[0].attributes, *alone[0].unsaved][0]
                return f"changes an attribute that is no buffer ({place})"
        except BaseException as error:  # a user's network or loss may do anything
            why = f"fails within a few steps, alone as in a stack: {self._described(error)}"
            return self._failing_alone() or why
        try:
            stacked = rehearsal.stacked()
            again = rehearsal.restacked([course.state for course in stacked])
        except BaseException as error:  # a user's network or loss may do anything
            return f"does not survive training in a stack ({self._said_by(error)})"
        pairs = [
            (found, expected, epoch)
            for of_stack, of_one in zip(stacked, alone, strict=True)
            for epoch, (found, expected) in enumerate(
                zip(of_stack.epochs, of_one.epochs, strict=True)
            )
        ]
        pairs += [(found, of_one.epochs[1], 1) for found, of_one in zip(again, alone, strict=True)]
        names = (rehearsal.differing(*pair) for pair in pairs)
        if name := next(filter(None, names), ""):
            return f"comes out otherwise in a stack than alone ({name} differs)"
        return ""


def _refuse_shared(first: MultiTaskNetwork, second: MultiTaskNetwork) -> None:
    """Refuse modules that two runs would train together."""
    own = {id(of) for of in (*trained_parameters(first).values(), *first.buffers())}
    both = (*trained_parameters(second).items(), *second.named_buffers())
    names = [name for name, of in both if id(of) in own]
    if names:
        raise SharedModule(
            "`trunk` and `head` must give each run modules of its own. Got the same "
            f"{names[0]} twice. Build them anew in every call, or return `copy.deepcopy` of what "
            "you keep."
        )


def _norm(tensors: Iterable[Tensor | None]) -> float:
    norms = [float(of.detach().norm()) for of in tensors if of is not None]
    return sqrt(fsum(norm**2 for norm in norms))
