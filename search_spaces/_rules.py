"""What each known parameter demands of its values."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from search_spaces._shown import shown
from search_spaces._values import as_number, native
from search_spaces.errors import BadValue, WrongType

TASK_WEIGHTS = "task_weights"

_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A condition on a number.

    Attributes:
        says: The condition in words, to follow "must be".
        holds: Whether a number meets it.
    """

    says: str
    holds: Callable[[float], bool]


RULES = MappingProxyType(
    {
        "lr": Rule(says="above 0", holds=lambda x: x > 0.0),
        "temperature": Rule(says="above 0", holds=lambda x: x > 0.0),
        "weight_decay": Rule(says="0 or above", holds=lambda x: x >= 0.0),
    }
)


def checked_numbers(name: str, values: Sequence[object]) -> list[float]:
    """Values of a parameter that has a rule, as floats.

    Raises:
        WrongType: One of them is not a number.
        BadValue: One of them is not finite, or breaks the rule.
    """
    rule = RULES[name]
    numbers = [as_number(v, what=f"Value {i}") for i, v in enumerate(values, start=1)]
    for i, number in enumerate(numbers, start=1):
        if not rule.holds(number):
            raise BadValue(f"Value {i} must be {rule.says}. Got {number}. Correct or drop it.")
    return numbers


def checked_weights(rows: Sequence[object], *, n_tasks: int) -> list[tuple[float, ...]]:
    """Rows of task weights, ``[N, T]``.

    Raises:
        WrongType: A row is not a list of numbers.
        BadValue: A row has the wrong length, a negative weight, or another sum than 1.
    """
    return [_checked_row(row, i, n_tasks) for i, row in enumerate(rows, start=1)]


def _checked_row(row: object, number: int, n_tasks: int) -> tuple[float, ...]:
    row = native(row)
    if not isinstance(row, list | tuple):
        raise WrongType(f"Row {number} must be a list of {n_tasks} weights. Got {shown(row)}.")
    if len(row) != n_tasks:
        raise BadValue(
            f"Row {number} must have one weight for each of the {n_tasks} tasks. "
            f"Got {len(row)}: {list(row)}. Add or drop weights."
        )
    weights = tuple(as_number(w, what=f"Weight {j} of row {number}") for j, w in enumerate(row, 1))
    if min(weights) < 0.0:
        raise BadValue(
            f"Row {number} must not have a negative weight. Got {shown(list(row))}. Raise it."
        )
    total = math.fsum(weights)
    if abs(total - 1.0) > _TOLERANCE:
        raise BadValue(
            f"Row {number} must sum to 1. Got {shown(list(row))}, which sums to {total:.12g}. "
            "Divide its weights by their sum."
        )
    return weights
