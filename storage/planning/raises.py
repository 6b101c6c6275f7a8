"""Budgets that a command has raised: checked against the stored ones, and kept in later specs."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from typing import Any

from storage.errors import BudgetRefused
from storage.records import searches_of

Raised = Mapping[str, Mapping[str, float]]
"""By search, empty for the study: limit -> what it was raised to."""

WHOLE = ("trials", "epochs")
OF_STUDY = (*WHOLE, "device_s", "money", "wall_s")
OF_SEARCH = (*WHOLE, "device_s", "money")
_MOST = {"wall_s": 1e9}
_MOST_OF_ANY = 1e12


def raised_by(
    spec: Mapping[str, Any], raised: Raised, limits: Mapping[str, Any], search: str | None
) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    """The spec and what was raised of it, after some limits were raised once more.

    Args:
        search: Whose limits; those of its section of the spec, if that names several. None: of the
            whole study.

    Raises:
        BudgetRefused: A limit is none, makes no sense, is not there to be raised, or is not higher.
    """
    new, after = deepcopy(dict(spec)), {name: dict(of) for name, of in raised.items()}
    owner, names = (new, [""]) if search is None else section(new, search)
    present = dict(owner.get("budget") or {})
    if wrong := _wrong(limits, present, OF_STUDY if search is None else OF_SEARCH):
        raise BudgetRefused(" ".join(wrong))
    owner["budget"] = {**present, **limits}
    for name in names:
        after[name] = {**after.get(name, {}), **limits}
    return new, after


def kept(
    spec: Mapping[str, Any], raised: Raised, lowered: Collection[str]
) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    """A spec that is to be stored, with the limits that were raised above it; and those alone.

    What the spec raises as far itself, or does not limit any more, is forgotten.

    Args:
        lowered: Limits of the study that the spec decides whatever was raised before.
    """
    new, after = deepcopy(dict(spec)), dict[str, dict[str, float]]()
    whole = {kind: most for kind, most in raised.get("", {}).items() if kind not in lowered}
    sections = [(new, whole, [""])]
    for part in new.get("search", ()):
        names = searches_of(part)
        of_part: dict[str, float] = {}
        for name in names:
            for kind, most in raised.get(name, {}).items():
                of_part[kind] = max(most, of_part.get(kind, most))
        sections.append((part, of_part, names))
    for owner, most_by_kind, names in sections:
        present = owner.get("budget") or {}
        above = {
            kind: most
            for kind, most in most_by_kind.items()
            if present.get(kind) is not None and present[kind] < most
        }
        if above:
            owner["budget"] = {**present, **above}
            after |= dict.fromkeys(names, above)
    return new, after


def section(spec: Mapping[str, Any], search: str) -> tuple[dict[str, Any], list[str]]:
    """The [[search]] that a search is of, and the names of all that are.

    Raises:
        BudgetRefused: There is no such search.
    """
    parts: Sequence[dict[str, Any]] = spec.get("search", ())
    found = next((part for part in parts if search in searches_of(part)), None)
    if found is None:
        known = ", ".join(name for part in parts for name in searches_of(part))
        raise BudgetRefused(
            f"The spec has no search {search!r} to raise budgets of. It has: {known}."
        )
    return found, searches_of(found)


def _wrong(
    limits: Mapping[str, Any], present: Mapping[str, Any], allowed: Sequence[str]
) -> list[str]:
    if not limits:
        return [f"Nothing is to be raised. Name a limit: {', '.join(allowed)}."]
    found = (_why_not(kind, value, present, allowed) for kind, value in limits.items())
    return [why for why in found if why]


def _why_not(kind: str, value: Any, present: Mapping[str, Any], allowed: Sequence[str]) -> str:
    if kind not in allowed:
        return f"There is no limit {kind!r}. Limits are: {', '.join(allowed)}."
    whole = kind in WHOLE
    fits = type(value) is int or (type(value) is float and not whole and math.isfinite(value))
    if not fits or not 0 < value <= _MOST.get(kind, _MOST_OF_ANY):
        number = "a whole number above 0" if whole else "a number above 0"
        return f"The limit `{kind}` is {number}. Got {value!r}."
    now = present.get(kind)
    if now is None:
        return (
            f"`{kind}` has no limit, so there is nothing to raise. A limit is set in [budget] of "
            "the spec."
        )
    if value <= now:
        lower = f" To lower it, run the study with `--budget {kind}={value:.12g}`."
        said = f"A budget is raised above what it is. Got {kind}={value:.12g}; it is {now:.12g}."
        return said + (lower if "wall_s" in allowed else "")
    return ""
