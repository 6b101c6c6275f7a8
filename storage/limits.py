"""The most that a study may use, as values that claims are checked against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The most that may be used; None is without limit."""

    epochs: int | None = None
    device_s: float | None = None
    money: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of a study, and of single searches by their ids."""

    study: Limit = Limit()
    searches: Mapping[int, Limit] = field(default_factory=dict)
