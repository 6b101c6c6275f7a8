"""The border to code of a user that runs where studies are planned."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from trainers.failures import told
from trainers.problems.errors import ProblemError


class refused:
    """Surrounds code of a user: whatever it raises, ``sys.exit`` included, becomes a refusal.

    Our own findings and Ctrl-C pass. (No generator: those take a `StopIteration` for their own.)

    Args:
        refusal: Makes the error of what was raised, in words.
    """

    def __init__(self, refusal: Callable[[str], ProblemError]) -> None:
        self._refusal = refusal

    def __enter__(self) -> None: ...

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if error is not None and not isinstance(error, ProblemError | KeyboardInterrupt):
            raise self._refusal(told(error)) from error
