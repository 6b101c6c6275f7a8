"""How a training function is called; other libraries' functions have callers of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from trainers.functions._report import Report


class Caller(Protocol):
    """Calls a function of one kind."""

    def __call__(
        self,
        function: Callable[..., Any],
        params: Mapping[str, Any],
        seed: int,
        folder: Path,
        report: Report,
    ) -> None:
        """Train one run to its end.

        Args:
            function: What the study names.
            params: The trial's point.
            folder: Of this run alone, and the same in its next attempt.
            report: To be called after each step; what it raises is let through.
        """


def call(
    function: Callable[..., Any],
    params: Mapping[str, Any],
    seed: int,
    folder: Path,
    report: Report,
) -> None:
    """Call ``train(params, seed, folder, report)``.

    A function that reports nothing may return its metrics, or their numbers.
    """
    tell_returned(function(dict(params), seed, folder, report), report)


def tell_returned(returned: Any, report: Report) -> None:
    """Report what a function has returned, if it has not reported anything."""
    if report.step:
        return
    if isinstance(returned, Mapping):
        report.tell(1, returned)
    elif returned is not None:
        report.tell(1, report.named(returned))
