"""A point as JSON for readers and programs: in it whole numbers stay whole, unlike in its key."""

from collections.abc import Mapping

from search_spaces._canonical import as_json, checked
from search_spaces._values import Value

__all__ = ["as_written"]


def as_written(point: Mapping[str, Value]) -> str:
    """JSON of a point, sorted like `search_spaces.canonical`.

    Raises:
        WrongType: A value is none that a point can hold.
        BadValue: A number is not finite, or an int that no float can hold.
    """
    return as_json(checked(point))
