"""A line from coarse to fine: both ends and the middle, then around the best value so far."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from reports.measures import FloatArray, IntArray
from reports.replaying.ladder import Ladder
from reports.replaying.strategies._protocol import Plays
from reports.replaying.strategies.random_order import in_turn
from reports.replaying.table import RecordedTable
from search_spaces.lines import neighbours, refinements


class Line:
    """Refines around the best value so far until both its neighbours have been tried."""

    title = "both ends and the middle, then around the best"
    needs_curves = False
    most_orders = 1

    def refusal(self, table: RecordedTable) -> str:
        """Tables of something else than one number are refused."""
        if len(table.tuned) != 1:
            return f"it walks along one number, and this stage tunes {', '.join(table.tuned)}"
        values = [point.get(table.tuned[0]) for point in table.points]
        if not all(map(_is_on_a_line, values)):
            return f"it walks along one number of 0 or above, which {table.tuned[0]} is not"
        if table.left_out:
            return (
                f"it needs every value of the line, and {table.left_out} of its trials have not "
                "ended well"
            )
        return ""

    def plays(
        self,
        table: RecordedTable,
        scoring: int,
        orders: IntArray,  # noqa: ARG002 - a line has an order of its own
        rng: np.random.Generator,  # noqa: ARG002 - nothing about it is random
    ) -> Plays:
        """One order: what is tried next follows from what has been tried."""
        ladder = table.by_epochs(scoring)
        values = np.array([float(value) for point in table.points for value in point.values()])
        tried: list[int] = []
        for batch in _batches(ladder, values, tried):
            tried += batch
        yield ladder, in_turn(np.array([tried]))


def _is_on_a_line(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and float(value) >= 0  # type: ignore[arg-type]


def _batches(ladder: Ladder, values: FloatArray, tried: Sequence[int]) -> Iterator[list[int]]:
    """What is tried next, given what has been tried meanwhile."""
    line = np.argsort(values, kind="stable").tolist()
    yield [line[k] for k in sorted({0, (len(line) - 1) // 2, len(line) - 1})]
    while True:
        best = min(tried, key=ladder.place)
        found = _around(float(values[best]), values, line, tried)
        if not found or not math.isfinite(ladder.keys[best, -1]):
            return
        yield found


def _around(
    best: float, values: FloatArray, line: Sequence[int], tried: Sequence[int]
) -> list[int]:
    """The trials nearest to the middles between the best value and those tried beside it."""
    known = values[list(tried)].tolist()
    found = []
    for beside in neighbours(known, best):
        left = [trial for trial in line if _lies_between(values[trial], best, beside)]
        for middle in refinements(known, best, outward=0):
            if left and _lies_between(middle, best, beside):
                ratios = np.abs(np.log(values[left] / middle))
                found.append(left[int(ratios.argmin())])
    return found


def _lies_between(value: float, one: float, other: float) -> bool:
    return min(one, other) < value < max(one, other)
