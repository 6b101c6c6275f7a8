"""A training function that is ready to be called: how it is found, and where a call of it waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol

from trainers.events import Event
from trainers.functions._caller import Caller
from trainers.jobs import Job, Pack, ProblemRef
from trainers.problems.errors import NotAProblem
from trainers.problems.user_module import import_user_module, member
from trainers.suggestions import shown


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


@dataclass(frozen=True, slots=True)
class FunctionSession:
    """A training function that has been imported.

    Attributes:
        metric: What its runs are ranked by.
        others: What they are ranked by beside it, of several objectives.
        device: Where it may train, such as ``cpu``.
        stop_requested: Asked at each report.
        rung: Where a call waits for its run's next pack.
    """

    function: Callable[..., Any]
    caller: Caller
    metric: str
    device: str
    stop_requested: Callable[[], bool] = _never
    rung: Rung = field(default_factory=Rung)
    others: tuple[str, ...] = ()


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
    return FunctionSession(
        function,
        getattr(import_module(home), caller),
        metric,
        device,
        stop_requested,
        others=tuple(others),
    )
