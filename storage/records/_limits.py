"""Limits of a study and of its searches, and what has been used of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.wording import of_limit


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitUse:
    """A limit, and what has been used of it.

    Attributes:
        search: Whose it is; empty for the whole study's.
        kind: As a budget has it, such as ``epochs``.
        used: None where that is not known.
    """

    search: str = ""
    kind: str
    most: float
    used: float | None

    @property
    def left(self) -> float | None:
        """What remains, never below 0; None where that is not known."""
        return None if self.used is None else max(self.most - self.used, 0)

    @property
    def left_said(self) -> str:
        """``1,200 of 6,000 epochs``; empty where it is not known."""
        return "" if self.left is None else of_limit(self.kind, self.left, self.most)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverAtWork:
    """A process that renews leases on a study's runs, and since when it works on it."""

    host: str
    pid: int
    since: datetime


def limits_of_study(spec: Mapping[str, Any], used: Mapping[str, float | None]) -> list[LimitUse]:
    """Those that count over all of a study's commands.

    Args:
        spec: The study's, as plain values.
        used: By the key of a budget, as `Totals` has it; None where that is not known.
    """
    budget = spec["budget"]
    limits = {kind: budget.get(kind) for kind in used}
    return [
        LimitUse(kind=kind, most=most, used=used[kind])
        for kind, most in limits.items()
        if most is not None
    ]


def limits_of_searches(
    spec: Mapping[str, Any], used: Mapping[str, Mapping[str, float]]
) -> list[LimitUse]:
    """Those that single searches have, in the order of the spec.

    Args:
        used: By the search, then by the key of a budget; empty where that is not known.
    """
    return [
        LimitUse(search=name, kind=kind, most=most, used=used.get(name, {}).get(kind))
        for part in spec.get("search", ())
        for name in searches_of(part)
        for kind, most in (part.get("budget") or {}).items()
        if most is not None
    ]


def searches_of(part: Mapping[str, Any]) -> list[str]:
    """Names of the searches of a [[search]]."""
    named = part.get("name") or part["weighting"]
    return [named] if isinstance(named, str) else list(named)
