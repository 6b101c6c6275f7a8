"""What a calibration may cost: a small part of what it plans for, or a few steps."""

from __future__ import annotations

from collections.abc import Callable

SHARE = 0.02
"""Of the time that the planned epochs would take alone."""
LEAST_S = 1.0
"""What a calibration may take in any case: others, of larger studies, go by it later."""


class Allowance:
    """Time that may still be spent on timing.

    Args:
        run_epochs: Epochs of all runs that are planned.

    Attributes:
        now: A clock in s.
    """

    def __init__(self, run_epochs: int, now: Callable[[], float]) -> None:
        self._run_epochs, self.now = run_epochs, now
        self._began_s = now()
        self._limit_s = LEAST_S

    @property
    def spent_s(self) -> float:
        """Time since the beginning."""
        return self.now() - self._began_s

    def plan(self, epoch_s: float) -> None:
        """Set the limit by what an epoch of a run takes."""
        self._limit_s = max(LEAST_S, SHARE * self._run_epochs * epoch_s)

    def has(self, seconds: float) -> bool:
        """Whether so much may still be spent."""
        return self.spent_s + seconds <= self._limit_s
