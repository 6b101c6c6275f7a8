"""A logarithmic range: continuous, or a geometric grid of it."""

import math
from dataclasses import dataclass

from search_spaces._axis import Plain
from search_spaces._interval import Interval
from search_spaces.errors import BadAxis


@dataclass(frozen=True, slots=True, init=False, repr=False)
class LogRange(Interval):
    """Values between two ends, evenly spread over their logarithm.

    Every computed value has six significant digits; the ends are as given. A grid is geometric.

    Args:
        low: Lower end, above 0.
        high: Upper end, above `low`.
        points: Size of the grid, both ends included; None leaves the range continuous.

    Raises:
        BadAxis: The ends make no range, or lie too close together for so many points.
        BadValue: An end is not finite, or there are fewer than two points, or more than 100,000.
        WrongType: An end is not a number, or `points` not a whole one.
    """

    def to_plain(self) -> Plain:
        """``{log_range = [low, high]}``, with `points` on a grid."""
        plain: dict[str, object] = {"log_range": [self.low, self.high]}
        return plain if self.n_points is None else plain | {"points": self.n_points}

    def _between(self, share: float) -> float:
        return math.exp((1.0 - share) * math.log(self.low) + share * math.log(self.high))

    def _share(self, number: float) -> float:
        span = math.log(self.high) - math.log(self.low)
        return (math.log(number) - math.log(self.low)) / span

    def _check_ends(self) -> None:
        if self.low <= 0.0:
            raise BadAxis(
                f"`low` must be above 0 on a log axis. Got low={self.low}. "
                "Raise `low`, or write the values as a list."
            )
        Interval._check_ends(self)  # `super()` is lost where slots make the class anew
