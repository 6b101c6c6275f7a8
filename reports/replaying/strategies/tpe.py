"""TPE on a recorded table, by a sampler that is passed in: Optuna stays behind its door.

Shapes: N trials, D coordinates.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reports.measures import FloatArray, IntArray
from reports.replaying.strategies._protocol import Plays, Sampler
from reports.replaying.strategies.random_order import in_turn
from reports.replaying.table import RecordedTable

# Each order asks the sampler for every trial, which takes a thousand times as long as to play it.
_MOST_ORDERS = 20
_MOST_TRIALS = 100


class Tpe:
    """A tree-structured Parzen estimator that is held to the recorded points.

    Args:
        sampler: Says in which order it tries them; None where there is none.
    """

    title = f"Optuna's TPE on the recorded points, for {_MOST_TRIALS} trials at most"
    needs_curves = False
    most_orders = _MOST_ORDERS

    def __init__(self, sampler: Sampler | None) -> None:
        self._sampler = sampler

    def refusal(self, table: RecordedTable) -> str:  # noqa: ARG002 - it plays all tables
        """Without a sampler nothing can be played."""
        return "" if self._sampler else "it needs a sampler, and none was passed in"

    def plays(
        self, table: RecordedTable, scoring: int, orders: IntArray, rng: np.random.Generator
    ) -> Plays:
        """The order is that of its first, random trials."""
        if self._sampler is None:
            return
        ladder = table.by_epochs(scoring)
        coordinates, n_categories = coordinates_of(table.points)
        tried = [
            self._sampler(
                coordinates,
                n_categories,
                ladder.keys[:, -1],
                order,
                n=min(table.n_trials, _MOST_TRIALS),
                seed=int(seed),
            )
            for order, seed in zip(orders, rng.integers(2**31, size=len(orders)), strict=True)
        ]
        yield ladder, in_turn(np.array(tried))


def coordinates_of(points: Sequence[Mapping[str, Any]]) -> tuple[FloatArray, IntArray]:
    """Points as a sampler sees them, each parameter by its recorded values.

    A number becomes its rank among the different values, from 0 to 1: a grid has even steps,
    whatever its scale. A row of numbers becomes a coordinate each. All else is a category: texts,
    truth values, tables, and parameters that some points lack.

    Returns:
        Coordinates ``[N, D]``, and the number of categories of each ``[D]``, 0 for numbers.
    """
    names = dict.fromkeys(name for point in points for name in point)
    columns: list[tuple[Sequence[float], int]] = []
    for name in names:
        values = [point.get(name) for point in points]
        rows = [value if isinstance(value, list | tuple) else [value] for value in values]
        if len({len(row) for row in rows}) == 1 and all(_is_number(x) for row in rows for x in row):
            columns += [(_ranks(column), 0) for column in zip(*rows, strict=True)]
        else:
            texts = [json.dumps(value, sort_keys=True) for value in values]
            known = list(dict.fromkeys(texts))
            columns.append(([known.index(text) for text in texts], len(known)))
    moving = [column for column in columns if len(set(column[0])) > 1]
    coordinates = np.array([column for column, _ in moving], dtype=np.float64)
    n_categories = np.array([n for _, n in moving], dtype=np.int64)
    return coordinates.reshape(len(moving), len(points)).T, n_categories


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _ranks(values: Sequence[float]) -> list[float]:
    known = sorted(set(values))
    return [known.index(value) / max(len(known) - 1, 1) for value in values]
