"""Trials' parameters as columns, to filter and to sort by."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from reports._naming import called

_MOST_CHOICES: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of ``N`` trials.

    Attributes:
        values: ``[N]``, numbers or objects; NaN or None where a trial has no such parameter.
        numbers: ``[N]``, NaN where its value is no number.
        low: The least of the numbers; NaN if there is none.
        high: The greatest.
        choices: What it has been, in words, where no value is a number and they are few.
    """

    name: str
    values: NDArray[Any]
    numbers: NDArray[np.float64]
    low: float
    high: float
    choices: tuple[str, ...]

    def of(self, trial: int) -> Any:
        """A trial's value, by the trial's place; None where it has none."""
        value = self.values[trial]
        return None if value is None or value != value else value

    @property
    def title(self) -> str:
        """As pages write it."""
        return called(self.name)

    @property
    def is_number(self) -> bool:
        """Whether some trial has a number there."""
        return not math.isnan(self.low)

    def equals(self, text: str) -> NDArray[np.bool_]:
        """``[N]``: whether it is that number, or that word in whatever letters."""
        try:
            wanted = float(text)
        except ValueError:
            wanted = math.nan
        if self.values.dtype != object:
            return np.asarray(self.numbers == wanted)
        words = text.casefold()
        return np.array(
            [
                number == wanted or (number != number and str(value).casefold() == words)
                for number, value in zip(self.numbers.tolist(), self.values, strict=True)
            ],
            dtype=bool,
        )


def parameters_of(points: Mapping[str, NDArray[Any]]) -> Mapping[str, Parameter]:
    """Parameters by name, in the order in which trials brought them up.

    Args:
        points: Each one's values ``[N]``, as of `TrialKeys.points`.
    """
    return {name: _parameter(name, values) for name, values in points.items()}


def _parameter(name: str, values: NDArray[Any]) -> Parameter:
    numbers: NDArray[np.float64] = values
    if values.dtype == object:
        numbers = np.array([number_of(value) for value in values], dtype=np.float64)
    low = float(np.fmin.reduce(numbers, initial=np.nan))  # passes over NaN
    return Parameter(
        name=name,
        values=values,
        numbers=numbers,
        low=low,
        high=float(np.fmax.reduce(numbers, initial=np.nan)),
        choices=_choices(values) if math.isnan(low) else (),
    )


def number_of(value: object) -> float:
    """What it is as a number; NaN of what is none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return math.nan


def _choices(values: NDArray[Any]) -> tuple[str, ...]:
    """The words that there are; none if a value is a list, or they are many."""
    found: dict[str, None] = {}
    for value in values:
        if isinstance(value, list | dict) or len(found) > _MOST_CHOICES:
            return ()
        if value is not None:
            found[str(value)] = None
    return tuple(sorted(found))
