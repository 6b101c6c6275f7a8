"""Trains a network for a few steps alone and in a stack, and tells where the two part.

Steps are so large that parameters change their signs: what is stale, or left out, shows in the
tensors and outputs after them. Everything goes through the engines themselves: epochs, evaluation,
what is saved, and a second epoch by who goes on and by who resumes.

Shapes: R rows of a stack, here two.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy
from torch.utils._pytree import tree_map_only

from trainers.engines.fused.forward import Forward, task_functions
from trainers.engines.fused.member import Member
from trainers.engines.fused.stack import Stack
from trainers.engines.looking.comparing import SMALL, Seen, differing, leaves
from trainers.engines.pace import First
from trainers.engines.session import Session
from trainers.engines.solo.lockstep import Lockstep
from trainers.engines.solo.run import SoloRun
from trainers.evaluation import Value
from trainers.jobs import Job, Pack, Precision, ProblemRef, Training
from trainers.keeping.checkpoints import State
from trainers.network import build_network
from trainers.randomness import Key
from trainers.weightings import weighting

TOLERANCES: dict[Precision, float] = {
    "float32": 1e-4,
    "tf32": 0.01,
    "bfloat16": 0.05,
    "float16": 0.01,
}
"""Relative difference of what is computed alone and in a stack; float16 and TF32 have 11 bits,
bfloat16 8."""
NUDGES: dict[Precision, float] = {
    "float32": 1e-6,
    "tf32": 5e-4,
    "bfloat16": 4e-3,
    "float16": 5e-4,
}
"""About what one rounding changes."""
_BATCH = 3
_STEPS = 2
_STRIDES = (0.2, 0.02, 0.002)
"""Length of a step, relative to all parameters; shorter ones where losses become infinite."""


@dataclass(frozen=True, slots=True)
class Course:
    """What a run was after each of two epochs.

    Attributes:
        state: What it would have saved after the first; nothing if that is `lost`.
        lost: Why that could not be read back.
        attributes: Places outside its tensors that it has changed.
        unsaved: Places that it has changed and that cannot be saved.
    """

    epochs: Sequence[Seen]
    state: State
    lost: str = ""
    attributes: Sequence[str] = ()
    unsaved: Sequence[str] = ()

    @property
    def finite(self) -> bool:
        """Whether all of its losses are numbers."""
        values = (value for seen in self.epochs for name, value in seen.items() if _is_loss(name))
        return all(map(math.isfinite, values))


class Rehearsal:
    """A few samples of a problem's, and steps that are neither short nor endless.

    Args:
        norm: Of the gradient at the start.
        size: Norm of the parameters.
    """

    def __init__(
        self,
        session: Session,
        tasks: tuple[str, ...],
        precision: Precision,
        *,
        norm: float,
        size: float,
    ) -> None:
        sources = {
            split: First(source, min(source.size, _BATCH * _STEPS), lambda: ())
            for split, source in session.sources.items()
        }
        self.session = replace(session, sources=dict(sources))
        self._tasks, self._precision, self._norm, self._size = tasks, precision, norm, size
        # a last batch of one sample is no matter of the engine's
        n_train = sources["train"].size
        self._batch = min(_BATCH, n_train) if n_train % _BATCH != 1 else n_train
        self._stride = _STRIDES[0]
        self._nudged: Course | None = None
        self._alone: dict[int, Course] = {}

    def alone(self, place: int = 0) -> Course:
        """A run of the solo engine; those at different places have different rates."""
        if place not in self._alone:
            self._alone[place] = self._solo(place)
        return self._alone[place]

    def settle(self) -> None:
        """Shorten the steps until no loss becomes infinite, if that helps."""
        for stride in _STRIDES:
            self._stride = stride
            self._alone.clear()
            if self.alone().finite:
                return

    def once_more(self) -> Course:
        """The run at the first place, trained a second time."""
        return self._solo(0)

    def resumed(self, state: State) -> Seen:
        """A run of the solo engine after its second epoch, which goes on from a state."""
        run = self._run(0)
        run.restore(state)
        return self._epoch(Lockstep([run], self.session, self.training))[0]

    def stacked(self) -> list[Course]:
        """Two runs of one stack."""
        stack = self._stack(self._forward(), [None, None])
        first = self._epoch(stack)
        order = [member.job.run for member in stack.members]
        states = [_copied(state) for state in stack.states()]
        second = self._epoch(stack)
        return [
            Course(epochs=[first[place], second[place]], state=states[order.index(place)])
            for place in range(len(order))
        ]

    def restacked(self, states: Sequence[State]) -> list[Seen]:
        """Two runs of one stack after their second epoch, which go on from states."""
        return self._epoch(self._stack(self._forward(), states))

    def differing(self, found: Seen, expected: Seen, epoch: int, *, rounding: bool = True) -> str:
        """What is not the same up to rounding, as the network itself takes it; or nothing.

        Args:
            expected: Of the run of the solo engine at the first place, or near it.
            epoch: 0 or 1.
            rounding: Whether they may be apart by as much as rounding makes of it.
        """
        tolerance = TOLERANCES[self._precision]
        if not (names := differing(found, expected, {}, {}, tolerance)):
            return ""
        if not rounding:
            return names[0]
        # Steps as large as these may blow up what was rounded: how much, a nudge tells.
        nudged, plain = self._of_nudged().epochs[epoch], self.alone().epochs[epoch]
        names = differing(found, expected, nudged, plain, tolerance)
        return names[0] if names else ""

    def _of_nudged(self) -> Course:
        if self._nudged is None:
            self._nudged = self._solo(0, by=NUDGES[self._precision])
        return self._nudged

    @property
    def training(self) -> Training:
        """Two epochs of two steps."""
        return Training(
            epochs=2,
            batch_size=self._batch,
            optimizer="sgd",
            clip_norm=self._norm if self._norm > 0 else None,
            eval_batch_size=self._batch,
            precision=self._precision,
        )

    def job(self, place: int = 0) -> Job:
        """The run at a place."""
        usable = math.isfinite(self._norm) and self._norm > 0
        lr = self._stride * max(self._size, 1.0) / self._norm if usable else self._stride
        return Job(run=place, token=0, weighting="ew", tasks=self._tasks, lr=lr / (1 + 2 * place))

    def _pack(self, *places: int) -> Pack:
        return Pack(
            problem=ProblemRef(target=""),
            training=self.training,
            seed=0,
            until_epoch=2,
            jobs=tuple(map(self.job, places)),
        )

    def _run(self, place: int) -> SoloRun:
        pack = self._pack(place)
        return SoloRun(pack.jobs[0], pack, self.session)

    def _solo(self, place: int, by: float = 0.0) -> Course:
        run = self._run(place)
        if by:
            nudge(run, by)
        seals = run.outside.seals()
        team = Lockstep([run], self.session, self.training)
        (first,) = self._epoch(team)
        state, lost = State(), ""
        if place == 0 and not by:
            try:
                state = _saved(team.states()[0])
            except Exception as error:  # the unpickler stumbles in any way it can
                lost = f"{type(error).__name__}: {str(error).splitlines()[0]}"
        (second,) = self._epoch(team)
        now = run.outside.seals()
        return Course(
            epochs=[first, second],
            state=state,
            lost=lost,
            attributes=run.outside.changed_attributes(),
            unsaved=[place for place in {**seals, **now} if now.get(place) != seals.get(place)],
        )

    def _forward(self) -> Forward:
        problem, key = self.session.problem, Key("0") / "init"
        network = build_network(problem, self._tasks, key).to(self.session.device)
        return Forward(network, task_functions(problem, self._tasks), self._precision)

    def _stack(self, forward: Forward, states: Sequence[State | None]) -> Stack:
        pack = self._pack(0, 1)
        method = weighting("ew")
        members = [
            Member(job=job, weighting=method, hyper=method.checked({}, len(job.tasks)), state=state)
            for job, state in zip(pack.jobs, states, strict=True)
        ]
        return Stack(members, forward, pack=pack, session=self.session, n_padding_rows=0)

    def _epoch(self, team: Lockstep | Stack) -> list[Seen]:
        """What each run is after one more epoch; in the order of the jobs."""
        trained, _ = team.train_epoch()
        judged = team.evaluate("validation")
        found: dict[int, Seen] = {}
        for job, *values, state in zip(team.jobs, trained, judged, team.states(), strict=True):
            found[job.run] = {**dict(_values(values)), **dict(leaves(_compared(state)))}
        return [found[run] for run in sorted(found)]


def _copied(state: State) -> State:
    found: State = tree_map_only(Tensor, Tensor.clone, state)
    return found


def _saved(state: State) -> State:
    """A state as a checkpoint gives it back.

    Raises:
        Exception: It holds more than plain values and tensors.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    found: State = torch.load(buffer, weights_only=True)
    return found


def nudge(run: SoloRun, by: float) -> None:
    """Change all parameters by about as much as rounding might."""
    generator = Key("nudge").generator()
    with torch.no_grad():
        for param in run.network.parameters():
            if param.requires_grad and not is_lazy(param):
                noise = torch.randn(param.shape, generator=generator).to(param)
                param.add_(noise * (by * max(float(param.abs().max()), SMALL)))


def _values(of_passes: Sequence[list[Value] | Exception]) -> Iterator[tuple[str, Any]]:
    """Losses and loss weights by name; metrics, which may jump, are compared by themselves."""
    for values in of_passes:
        if isinstance(values, Exception):
            raise values
        for split, task, metric, value in values:
            if metric in ("loss", "weight"):
                yield f"the {split} {metric} of task {task}", value


def _compared(state: State) -> dict[str, Any]:
    """The parts of a state that runs of the same job have in common."""
    return {
        "network": state["network"],
        "momentum": state["optimizer"]["state"],
        "outside": state["outside"],
    }


def _is_loss(name: str) -> bool:
    return " loss of task " in name
