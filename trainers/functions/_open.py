"""A training function that is ready to be called: how it is found, and where a call of it waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from trainers.events import Event
from trainers.functions._caller import Caller
from trainers.functions._report import Report
from trainers.functions._trainers import Trainer, trainer_of
from trainers.jobs import Job, Pack, ProblemRef
from trainers.problems import build
from trainers.problems.errors import NotAProblem
from trainers.problems.user_module import import_user_module, member
from trainers.protocol import Problem, Source
from trainers.suggestions import shown

if TYPE_CHECKING:
    from torch import device as Device


def _never() -> bool:
    return False


class Waiting(Protocol):
    """A call that waits at its rung.

    Attributes:
        job: Its run, whose attempt has ended.
        pack: Of that attempt.
    """

    job: Job
    pack: Pack

    def go_on(self, pack: Pack) -> Iterator[Event]:
        """Train the run's next attempt, and tell what the call reports."""

    def end(self) -> None:
        """End the call as a stop does; returns when the function has."""


class Rung:
    """Holds one call until it is known whether its run goes on at once; or none.

    A function that cannot resume by itself would begin again behind every rung; as long as its call
    waits within its report, there is nothing to resume.
    """

    def __init__(self) -> None:
        self._call: Waiting | None = None

    def keep(self, call: Waiting) -> None:
        """Let a call wait."""
        self._call = call

    def take(self) -> Waiting | None:
        """The call that has waited, which waits no more."""
        call, self._call = self._call, None
        return call


class Trains(Protocol):
    """Trains one run to its end."""

    def __call__(self, job: Job, pack: Pack, folder: Path, report: Report) -> None:
        """Train.

        Args:
            folder: Of this run alone, and the same in its next attempt.
            report: To be called after each step; what it raises is let through.
        """


@dataclass(frozen=True, slots=True)
class FunctionSession:
    """A training function that has been imported, or a trainer with the problem that it trains.

    Attributes:
        metric: What its runs are ranked by.
        others: What they are ranked by beside it, of several objectives.
        allowed: All names that may be reported; None: any.
        device: Where it may train, such as ``cpu``.
        stop_requested: Asked at each report.
        rung: Where a call waits for its run's next pack.
    """

    train: Trains
    metric: str
    device: str
    stop_requested: Callable[[], bool] = _never
    rung: Rung = field(default_factory=Rung)
    others: tuple[str, ...] = ()
    allowed: frozenset[str] | None = None


def open_function(
    ref: ProblemRef, device: str, stop_requested: Callable[[], bool] = _never
) -> FunctionSession:
    """Import a function.

    Raises:
        ModuleMissing: Its module was not found.
        ModuleBroken: Its module raised while it was imported.
        ClassMissing: The module has no such function.
        NotAProblem: What was found cannot be called.
    """
    module_name, _, name = ref.target.partition(":")
    module = import_user_module(module_name, ref.folder)
    function: Any = member(module, name, of=f"[function] `{ref.target}`")
    if not callable(function):
        raise NotAProblem(
            f"[function] must name a function. `{ref.target}` is {shown(function)}. Name one."
        )
    home, _, caller = ref.caller.partition(":")
    written: Any = ref.options["metric"]
    metric, *others = [written] if isinstance(written, str) else written
    called = Called(function, getattr(import_module(home), caller))
    return FunctionSession(called, metric, device, stop_requested, others=tuple(others))


def open_trainer(
    ref: ProblemRef, device: str, stop_requested: Callable[[], bool] = _never
) -> FunctionSession:
    """Make a trainer, and the problem that it trains.

    Raises:
        ProblemError: There is no such problem, or a module is missing or broken.
        UnknownTrainer: There is no such trainer.
    """
    trainer, problem = trainer_of(ref.trainer, ref.folder), build(ref)
    return trainer_session(trainer, problem, ref.ranked_by, device, stop_requested)


def trainer_session(
    trainer: Trainer,
    problem: Problem,
    ranked_by: Sequence[str],
    device: str,
    stop_requested: Callable[[], bool] = _never,
) -> FunctionSession:
    """A trainer with the problem that it trains.

    Args:
        ranked_by: Names of the metrics by which its trials are ranked.
    """
    opened, card = cast("Problem", _Opened(problem)), trainer.card

    def train(job: Job, pack: Pack, folder: Path, report: Report) -> None:
        trainer.train(
            opened,
            card.filled(job.hyper),
            pack.seed,
            folder,
            report,
            training=pack.training,
            device=device,
        )

    metric, *others = ranked_by
    return FunctionSession(
        train, metric, device, stop_requested, others=tuple(others), allowed=card.reported
    )


@dataclass(frozen=True, slots=True)
class Called:
    """Calls a training function as its kind is called."""

    function: Callable[..., Any]
    caller: Caller

    def __call__(self, job: Job, pack: Pack, folder: Path, report: Report) -> None:
        self.caller(self.function, job.hyper, pack.seed, folder, report)


class _Opened:
    """A problem whose data is loaded once, whoever asks how often; all else is the problem's."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._sources: dict[str, Mapping[str, Source]] = {}

    def sources(self, device: Device) -> Mapping[str, Source]:
        """The splits on a device."""
        if str(device) not in self._sources:
            self._sources[str(device)] = self._problem.sources(device)
        return self._sources[str(device)]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._problem, name)
