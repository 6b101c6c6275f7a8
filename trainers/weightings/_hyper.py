"""One hyperparameter of a weighting, with the rule its values must keep.

Shapes: T tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, inf, isfinite
from typing import TypeGuard

from trainers.suggestions import shown
from trainers.weightings.errors import BadHyper

HyperValue = float | tuple[float, ...]
"""A checked value: one number, or one number a task."""

SUM_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Hyper:
    """One hyperparameter of a weighting.

    Attributes:
        name: Key of the hyperparameter in a trial's parameters.
        doc: What it does, in one line without a full stop; part of error messages.
        default: Value when none is given (of each task, if `per_task`); None: must be given.
        per_task: The value is a vector ``[T]`` rather than one number.
        low: Smallest number allowed.
        low_open: `low` itself is not allowed.
        high: Largest number allowed.
        choices: The only numbers allowed; empty: any number from `low` on.
        whole: Only whole numbers are allowed.
        total: What a per-task vector must sum to, within 1e-9; None: anything.
    """

    name: str
    doc: str
    default: float | None = None
    per_task: bool = False
    low: float = -inf
    low_open: bool = False
    high: float = inf
    choices: tuple[float, ...] = ()
    whole: bool = False
    total: float | None = None

    def filled(self, n_tasks: int) -> HyperValue | None:
        """The default for `n_tasks` tasks, or None if a value must be given."""
        if self.default is None or not self.per_task:
            return self.default
        return (self.default,) * n_tasks

    def checked(self, value: object, n_tasks: int) -> HyperValue:
        """Return `value` as plain numbers.

        Raises:
            BadHyper: The value is no number, out of bounds, or no fitting vector of ``T``.
        """
        return self._vector(value, n_tasks) if self.per_task else self._number(value)

    @property
    def rule(self) -> str:
        """What one number must be, in words: "a finite number above 0"."""
        if self.choices:
            return "one of " + ", ".join(f"{choice:g}" for choice in self.choices)
        kind = "a whole number" if self.whole else "a finite number"
        if self.low == -inf:
            return kind
        most = f" and at most {self.high:g}" if self.high < inf else ""
        return f"{kind} {'above' if self.low_open else 'of at least'} {self.low:g}{most}"

    def _vector(self, value: object, n_tasks: int) -> tuple[float, ...]:
        if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != n_tasks:
            raise BadHyper(
                f"`{self.name}` must be a list of one number a task, {n_tasks} in all. "
                f"Got {shown(value)}. It is the {self.doc}."
            )
        numbers = tuple(self._number(number) for number in value)
        if self.total is not None and abs(fsum(numbers) - self.total) > SUM_TOLERANCE:
            raise BadHyper(
                f"`{self.name}` must sum to {self.total:g}. Got a sum of {fsum(numbers):.12g}. "
                "Divide each number by the sum."
            )
        return numbers

    def _number(self, value: object) -> float:
        if not self._allows(value):
            raise BadHyper(
                f"`{self.name}` must be {self.rule}. Got {shown(value)}. It is the {self.doc}."
            )
        return float(value)

    def _allows(self, value: object) -> TypeGuard[float]:
        if self.choices:
            return value in self.choices
        # `true` in a spec is a slip wherever a quantity is meant, though Python counts it as 1.
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        if not isfinite(value) or (self.whole and not float(value).is_integer()):
            return False
        return value <= self.high and (value > self.low if self.low_open else value >= self.low)


def scalar(value: HyperValue) -> float:
    """Narrow a checked value to one number, for a start value that is the same for all tasks.

    Raises:
        BadHyper: The value is a vector.
    """
    if isinstance(value, tuple):
        raise BadHyper(f"A start value must be one number for all tasks. Got {shown(value)}.")
    return value
