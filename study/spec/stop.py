"""``stop = { rule = "halving", rungs = [5, 10] }``: a stopping rule as written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from study.errors import BadSpec
from study.spec._findings import shown_value
from study.spec.stopping import KINDS, Kind, StopRule
from trainers.suggestions import did_you_mean

_KEYS = ("rule", "rungs", "keep", "asynchronous")
_EXAMPLE = 'Write stop = { rule = "median", rungs = [5] }.'


def parse_stop(
    table: object, *, epochs: int, place: str, kinds: Sequence[Kind] = KINDS
) -> StopRule | None:
    """Read one table; None if there is none.

    Args:
        epochs: Of each run; rungs lie before their end.
        kinds: Rules that make sense here.

    Raises:
        BadSpec: It is no table, or a key of it does not make sense.
    """
    if table is None:
        return None
    if not isinstance(table, Mapping):
        raise BadSpec(f"{place}: `stop` must be a table. Got {shown_value(table)}. {_EXAMPLE}")
    for key in table:
        if key not in _KEYS:
            raise BadSpec(
                f"{place}: unknown key `{key}` in `stop`.{did_you_mean(key, _KEYS)} "
                f"Allowed: {', '.join(_KEYS)}."
            )
    kind = _kind(table.get("rule"), place, kinds)
    rungs = _rungs(table.get("rungs"), epochs, place)
    asynchronous = _asynchronous(table.get("asynchronous", False), kind, place)
    if "keep" not in table:
        return StopRule(kind=kind, rungs=rungs, asynchronous=asynchronous)
    keep = _keep(table["keep"], kind, place)
    return StopRule(kind=kind, rungs=rungs, keep=keep, asynchronous=asynchronous)


def _kind(value: object, place: str, kinds: Sequence[Kind]) -> Kind:
    found = next((kind for kind in kinds if kind == value), None)
    if found is None:
        raise BadSpec(
            f"{place}: `stop.rule` must be one of {', '.join(kinds)}. "
            f"Got {'none' if value is None else shown_value(value)}. Write one of these."
        )
    return found


def _rungs(value: Any, epochs: int, place: str) -> tuple[int, ...]:
    if not isinstance(value, list | tuple) or not value or not all(map(_is_epoch, value)):
        raise BadSpec(
            f"{place}: `stop.rungs` must be a list of epochs, whole numbers above 0. "
            f"Got {'none' if value is None else shown_value(value)}. {_EXAMPLE}"
        )
    if list(value) != sorted(set(value)):
        raise BadSpec(
            f"{place}: `stop.rungs` must rise. Got {shown_value(list(value))}. "
            "Sort them, each once."
        )
    if value[-1] >= epochs:
        raise BadSpec(
            f"{place}: `stop.rungs` must lie below the {epochs} `epochs` of [training]. "
            f"Got {value[-1]}. Drop it: after the last epoch there is nothing to stop."
        )
    return tuple(value)


def _is_epoch(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _keep(value: Any, kind: Kind, place: str) -> float:
    if kind != "halving":
        raise BadSpec(f"{place}: `stop.keep` goes with the rule halving. Got {kind!r}. Drop it.")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise BadSpec(
            f"{place}: `stop.keep` must be a share between 0 and 1. Got {shown_value(value)}. "
            "Write keep = 0.5 for the better half."
        )
    return float(value)


def _asynchronous(value: object, kind: Kind, place: str) -> bool:
    if not isinstance(value, bool):
        raise BadSpec(
            f"{place}: `stop.asynchronous` must be true or false. Got {shown_value(value)}. "
            "Write asynchronous = true, or drop it."
        )
    if value and kind == "worse-than-cohort":
        raise BadSpec(
            f"{place}: `stop.asynchronous` goes with the rules halving and median. Got {kind!r}. "
            "Drop it, or take another rule."
        )
    return value
