"""A linear range: continuous, or an even grid of it."""

from dataclasses import dataclass

from search_spaces._axis import Plain
from search_spaces._interval import Interval


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Range(Interval):
    """Values between two ends, evenly spread.

    Every computed value has six significant digits; the ends are as given.

    Args:
        low: Lower end.
        high: Upper end, above `low`.
        points: Size of the grid, both ends included; None leaves the range continuous.

    Raises:
        BadAxis: The ends make no range, or lie too close together for so many points.
        BadValue: An end is not finite, or there are fewer than two points, or more than 100,000.
        WrongType: An end is not a number, or `points` not a whole one.
    """

    @property
    def middle(self) -> float:
        """The value halfway."""
        return self._at(0.5)

    def to_plain(self) -> Plain:
        """``{range = [low, high]}``, with `points` on a grid."""
        plain: dict[str, object] = {"range": [self.low, self.high]}
        return plain if self.n_points is None else plain | {"points": self.n_points}

    def _between(self, share: float) -> float:
        return (1.0 - share) * self.low + share * self.high

    def _share(self, number: float) -> float:
        # halves first: the ends of a range may lie further apart than a float can say
        return (number / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
