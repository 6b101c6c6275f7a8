"""The trials of a study by their places: what does not change of them, kept as columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from reports._naming import point_of
from reports.dashboard.following.columns import Columns
from search_spaces.lineage import without_origin

_NO_TUNING = ("baseline", "followup")
_NUMBERS: Final = 2**40  # more trials than a search can have
_EXACT: Final = 2**53
"""Whole numbers up to here are the same as numbers with a fraction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialKey:
    """A trial by its place in a study."""

    search: str
    number: int
    params: str
    role: str


class TrialKeys(Sequence[TrialKey]):
    """Trials in the order in which their first runs were told.

    Attributes:
        searches: Names of searches by the code that `search` holds.
    """

    def __init__(self) -> None:
        self.searches: list[str] = []
        self._roles: list[str] = []
        self._code: dict[str, int] = {}
        self._params: list[str] = []
        self._keys = Columns(
            {"search": np.int16, "number": np.int64, "version": np.int64, "alone": np.bool_}
        )
        self._points: dict[str, NDArray[Any]] = {}
        self._n_parsed = 0

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self[one] for one in range(len(self))[at]]
        place = range(len(self))[at]
        code = int(self.search[place])
        return TrialKey(
            search=self.searches[code],
            number=int(self.number[place]),
            params=self._params[place],
            role=self._roles[code],
        )

    def __iter__(self) -> Iterator[TrialKey]:
        return (self[at] for at in range(len(self)))

    @property
    def search(self) -> NDArray[np.int16]:
        """``[N]``, positions in `searches`."""
        return self._keys["search"]

    @property
    def number(self) -> NDArray[np.int64]:
        """``[N]``, within their searches."""
        return self._keys["number"]

    @property
    def version(self) -> NDArray[np.int64]:
        """``[N]``, of the mirror when a run of theirs, or an attempt at one, last changed."""
        return self._keys["version"]

    @property
    def alone(self) -> NDArray[np.bool_]:
        """``[N]``: whether they are of single-task networks or follow-ups: no method's tuning."""
        return self._keys["alone"]

    def of_search(self, name: str) -> NDArray[np.bool_]:
        """``[N]``: whether they are a search's."""
        return np.asarray(self.search == self.code_of(name))

    def code_of(self, name: str) -> int:
        """The position of a search in `searches`; one that none has if it has no trials yet."""
        return self._code.get(name, len(self.searches))

    def place_of(self, search: str, number: int) -> int | None:
        """The place of a search's trial; None of one that is not known."""
        code = self._code.get(search)
        return None if code is None else self._keys.row_of(code * _NUMBERS + number)

    def places(
        self,
        searches: Sequence[str],
        numbers: Sequence[int],
        params: Sequence[str],
        roles: Sequence[str],
    ) -> NDArray[np.int64]:
        """``[k]``, the places of the trials of k runs; trials that are new are added."""
        code = {
            name: self._search(name, role) for name, role in {*zip(searches, roles, strict=True)}
        }
        n, fresh = len(self), dict[int, int]()  # key to its place behind those that are known
        found = []
        for at, (name, number) in enumerate(zip(searches, numbers, strict=True)):
            key = code[name] * _NUMBERS + number
            place = self._keys.row_of(key)
            if place is None:
                if key not in fresh:
                    fresh[key] = n + len(fresh)
                    self._params.append(params[at])
                place = fresh[key]
            found.append(place)
        columns = {
            "search": [key // _NUMBERS for key in fresh],
            "number": [key % _NUMBERS for key in fresh],
            "version": 0,
            "alone": [self._roles[key // _NUMBERS] in _NO_TUNING for key in fresh],
        }
        self._keys.put(list(fresh), columns)
        return np.array(found, dtype=np.int64)

    def points(self) -> Mapping[str, NDArray[Any]]:
        """Parameters by name, each ``[N]``: numbers, NaN where a trial has none.

        One that is not always a number is a column of objects, None where a trial has none.
        """
        n = len(self)
        self._points = {name: _padded(known, n) for name, known in self._points.items()}
        for at in range(self._n_parsed, n):
            for name, value in without_origin(point_of(self._params[at])).items():
                known = self._points.get(name)
                if known is None:
                    known = self._points[name] = np.full(n, np.nan)
                if known.dtype != object and not _is_plain_number(value):
                    known = self._points[name] = _as_objects(known)
                known[at] = value
        self._n_parsed = n
        return self._points

    def _search(self, name: str, role: str) -> int:
        code = self._code.get(name)
        if code is None:
            code = self._code[name] = len(self.searches)
            self.searches.append(name)
            self._roles.append("search" if role == "confirm" else role)
        return code


def _padded(known: NDArray[Any], n: int) -> NDArray[Any]:
    nothing = None if known.dtype == object else np.nan
    return np.concatenate([known, np.full(n - len(known), nothing, dtype=known.dtype)])


def _as_objects(known: NDArray[Any]) -> NDArray[Any]:
    found = known.astype(object)
    found[np.isnan(known)] = None
    return found


def _is_plain_number(value: object) -> bool:
    """Whether a column of numbers holds it as it is."""
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) <= _EXACT
    return isinstance(value, float)
