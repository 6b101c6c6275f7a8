"""What can go wrong with a search space.

SpaceError
├── BadAxis(ValueError)          an axis makes no sense: its limits, step, floor or options
├── BadValue(ValueError)         a value breaks a rule: not finite, out of range, a wrong sum
├── WrongType(TypeError)         another kind of value was meant: a string, a bool, a bare number
├── UnknownKey(LookupError)      a plain form has a key that no axis knows
├── UnknownValue(LookupError)    a value is not one of those on the axis
├── EmptySpace(ValueError)       the points of an axis without any were asked for
├── TooManyPoints(ValueError)    more points were asked for than anybody could train
└── ContinuousAxis(ValueError)   the points of a continuous axis were asked for
"""

from collections.abc import Iterator
from contextlib import contextmanager


class SpaceError(Exception):
    """Anything wrong with a search space: catch this to catch all of it."""


class BadAxis(SpaceError, ValueError):
    """An axis makes no sense."""


class BadValue(SpaceError, ValueError):
    """A value breaks a rule."""


class WrongType(SpaceError, TypeError):
    """Another kind of value was meant."""


class UnknownKey(SpaceError, LookupError):
    """A plain form has a key that no axis knows."""


class UnknownValue(SpaceError, LookupError):
    """A value is not one of those on the axis."""


class EmptySpace(SpaceError, ValueError):
    """The points of an axis without any were asked for."""


class TooManyPoints(SpaceError, ValueError):
    """More points were asked for than anybody could train."""


class ContinuousAxis(SpaceError, ValueError):
    """The points of a continuous axis were asked for."""


@contextmanager
def blamed_on(name: str) -> Iterator[None]:
    """Put the parameter's name before the message of any `SpaceError` raised inside.

    Raises:
        SpaceError: That one, of its own class.
    """
    try:
        yield
    except SpaceError as error:
        raise type(error)(f"Parameter `{name}`: {error}") from error
