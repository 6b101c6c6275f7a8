"""Which trials are asked for: filters of a query string, and the fields that write them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from starlette.datastructures import QueryParams

from reports.dashboard.following.followed import Followed
from reports.dashboard.following.measured import Measure, measures_of
from reports.dashboard.following.parameters import Parameter
from reports.dashboard.following.trial_rows import TRIAL_STATES
from reports.dashboard.showing.trial_table import Column
from storage.records import StudyRecord

_CONDITION: Final = re.compile(r"\s*([\w.\-]+)\s*(<=|>=|!=|=|<|>)\s*(\S+)\s*")
_COMPARED: Final[Mapping[str, Any]] = {
    "<=": np.less_equal,
    ">=": np.greater_equal,
    "<": np.less,
    ">": np.greater,
}
_ENDS: Final = (("from", np.greater_equal), ("to", np.less_equal))
_LIMITS: Final[Mapping[str, Any]] = {"least": np.greater_equal, "most": np.less_equal}
"""Of what the mirror does not hold; no parameter is called like one of these with a point."""
_LONGEST: Final = 400  # characters
_MOST_CONDITIONS: Final = 10
_MOST_FIELDS: Final = 30


class BadFilter(ValueError):
    """A filter that cannot be understood; the text says what can."""


def measured_in(params: QueryParams, record: StudyRecord) -> list[Measure]:
    """What a query string sorts or filters by and what has to be read for it."""
    wanted = {params.get("sort"), *(key.partition(".")[2] for key in _limited(params))}
    return [one for one in measures_of(record) if one.key in wanted]


def kept(study: Followed, params: QueryParams, table: Mapping[str, Column]) -> NDArray[np.bool_]:
    """The trials that a query string asks for, ``[N]``; with the lock held.

    Args:
        table: The columns that there are, by their keys.

    Raises:
        BadFilter: It cannot be understood.
    """
    mirror, columns = study.mirror, study.columns()
    keep = np.ones(len(mirror.trials), dtype=bool)
    if search := params.get("search"):
        keep &= mirror.trials.of_search(search)
    else:
        keep &= ~mirror.trials.alone
    if state := params.get("state"):
        keep &= columns.state == (TRIAL_STATES.index(state) if state in TRIAL_STATES else -1)
    for name, values in (("value", columns.value), ("cost", columns.device_s)):
        for end, compare in _ENDS:
            if text := params.get(f"{name}_{end}"):
                keep &= compare(values, _limit(text))
    parameters = study.parameters()
    for parameter in parameters.values():
        for end, compare in _ENDS:
            if text := params.get(f"{end}.{parameter.name}"):
                keep &= compare(parameter.numbers, _limit(text))
        if text := params.get(f"is.{parameter.name}"):
            keep &= parameter.equals(text)
    for key in _limited(params):
        end, _, of = key.partition(".")
        if (one := table.get(of)) is not None and one.measure is not None and one.sorted_by:
            keep &= _LIMITS[end](one.sorted_by(), _limit(params[key]))
    if where := params.get("where"):
        keep &= _where(parameters, len(keep), where)
    return keep


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A parameter in the form: one field with its choices, or two for a range.

    Attributes:
        low: The least that a trial has; NaN where there are choices.
        given: What the query string says: of ``is``, or of ``from`` and ``to``.
    """

    name: str
    title: str
    low: float
    high: float
    choices: Sequence[str]
    given: Mapping[str, str]

    @property
    def is_used(self) -> bool:
        """Whether it filters."""
        return any(self.given.values())


def fields(parameters: Mapping[str, Parameter], params: QueryParams) -> list[Field]:
    """The fields of the parameters that a range or a choice can be given for, at most 30."""
    return [
        Field(
            name=one.name,
            title=one.title,
            low=one.low,
            high=one.high,
            choices=one.choices,
            given={end: params.get(f"{end}.{one.name}", "") for end in ("is", "from", "to")},
        )
        for one in parameters.values()
        if one.is_number or len(one.choices) > 1
    ][:_MOST_FIELDS]


def measured_fields(columns: Iterable[Column], params: QueryParams) -> list[Field]:
    """The fields of columns that are shown and have to be read, at most 30."""
    return [
        Field(
            name=one.key,
            title=one.title,
            low=math.nan,
            high=math.nan,
            choices=(),
            given={end: params.get(f"{end}.{one.key}", "") for end in _LIMITS},
        )
        for one in columns
        if one.measure is not None
    ][:_MOST_FIELDS]


def _limited(params: QueryParams) -> Iterator[str]:
    """Parts of a query string that limit what has to be read."""
    for key, text in params.items():
        if text and key.partition(".")[0] in _LIMITS:
            yield key


def _where(parameters: Mapping[str, Parameter], n: int, text: str) -> NDArray[np.bool_]:
    """Trials whose parameters meet every condition of ``lr >= 0.01, temperature < 5``."""
    parts = text.split(",") if len(text) <= _LONGEST else []
    if not 1 <= len(parts) <= _MOST_CONDITIONS:
        raise BadFilter(
            f"Conditions on parameters are at most {_MOST_CONDITIONS}, in {_LONGEST} characters. "
            f"Got {text.count(',') + 1:,} in {len(text):,}. Leave some out."
        )
    keep = np.ones(n, dtype=bool)
    for part in parts:
        found = _CONDITION.fullmatch(part)
        if found is None:
            raise BadFilter(
                f"Conditions on parameters look like `lr >= 0.01, temperature < 5`. Got {part!r}."
            )
        name, sign, bound = found.groups()
        if name not in parameters:
            known = ", ".join(sorted(parameters))
            raise BadFilter(f"No trial has the parameter {name!r}. There are: {known}.")
        parameter = parameters[name]
        if sign in ("=", "!="):
            equal = parameter.equals(bound)
            keep &= equal if sign == "=" else ~equal
        else:
            keep &= _COMPARED[sign](parameter.numbers, _limit(bound))
    return keep


def _limit(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if math.isnan(found):
        raise BadFilter(f"Limits are numbers, such as 0.01 or 1e-3. Got {text[:40]!r}.")
    return found
