"""Finds a training function and what calls it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from trainers.functions._caller import Caller
from trainers.functions._rung import Rung
from trainers.hints import shown
from trainers.jobs import ProblemRef
from trainers.problems.errors import NotAProblem
from trainers.problems.user_module import import_user_module, member


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class FunctionSession:
    """A training function that has been imported.

    Attributes:
        metric: What its runs are ranked by.
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
    return FunctionSession(
        function,
        getattr(import_module(home), caller),
        str(ref.options["metric"]),
        device,
        stop_requested,
    )
