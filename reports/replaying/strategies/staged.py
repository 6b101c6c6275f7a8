"""One parameter after the other, as in a search of several stages, on a grid that has them all.

Shapes: N trials, P parameters.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reports.measures import IntArray
from reports.replaying.strategies._protocol import Plays
from reports.replaying.strategies.random_order import in_turn
from reports.replaying.table import RecordedTable


class Staged:
    """Tries all values of a parameter with the best of those before, and the middle of those after.

    Parameters come in the order of the stage. A trial that has been tried is not paid again.
    """

    title = "one parameter after the other, from the middle"
    needs_curves = False
    most_orders = 1

    def refusal(self, table: RecordedTable) -> str:
        """Tables without every combination of at least two parameters are refused."""
        if len(table.tuned) < 2:
            return f"it tunes one parameter after the other, and this stage has {table.tuned[0]}"
        cells = math.prod(len(values) for values in _values(table).values())
        if len(set(_cells(table))) < cells:
            return (
                f"it needs every combination of the recorded values, and {table.n_trials} of "
                f"{cells} are there"
            )
        return ""

    def plays(
        self,
        table: RecordedTable,
        scoring: int,
        orders: IntArray,  # noqa: ARG002 - the parameters have an order of their own
        rng: np.random.Generator,  # noqa: ARG002 - nothing about it is random
    ) -> Plays:
        """One order: what is tried next follows from what has been tried."""
        ladder = table.by_epochs(scoring)
        at = {cell: trial for trial, cell in enumerate(_cells(table))}
        values = _values(table)
        point = {name: _middle(list(known.values())) for name, known in values.items()}
        tried: dict[int, None] = {}
        for name, known in values.items():
            line = [at[_cell(point | {name: value}, table.tuned)] for value in known.values()]
            tried |= dict.fromkeys(line)
            best = min(tried, key=ladder.place)
            point = dict(table.points[best])
        yield ladder, in_turn(np.array([[*tried]]))


def _values(table: RecordedTable) -> Mapping[str, Mapping[str, Any]]:
    """The recorded values of each parameter, by their text, in the order of their first trial."""
    return {
        name: {json.dumps(point.get(name)): point.get(name) for point in table.points}
        for name in table.tuned
    }


def _cells(table: RecordedTable) -> list[tuple[str, ...]]:
    return [_cell(point, table.tuned) for point in table.points]


def _cell(point: Mapping[str, Any], names: Sequence[str]) -> tuple[str, ...]:
    return tuple(json.dumps(point.get(name)) for name in names)


def _middle(values: Sequence[Any]) -> Any:
    """Where a parameter rests until it is tuned, of the values that were recorded (M6).

    The middle one of numbers, the most equal row of numbers, the first of other values.
    """
    if all(isinstance(value, int | float) for value in values):
        return sorted(values)[(len(values) - 1) // 2]
    if all(isinstance(value, list) for value in values):
        return min(values, key=lambda row: float(np.var(row)))
    return values[0]
