"""The most that a study may use, and what it has used: values that claims are checked against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A quantity of everything that can be limited."""

    epochs: int = 0
    device_s: float = 0.0
    money: float = 0.0

    def __add__(self, other: Amount) -> Amount:
        return Amount(
            epochs=self.epochs + other.epochs,
            device_s=self.device_s + other.device_s,
            money=self.money + other.money,
        )

    def times(self, n: int) -> Amount:
        """This `n` times."""
        return Amount(epochs=n * self.epochs, device_s=n * self.device_s, money=n * self.money)


NOTHING = Amount()


def exceeded(limit: Limit, before: Amount, need: Amount) -> str:
    """Which limit forbids `need` on top of what was used and reserved before; empty if none does.

    What is used up is used up, even if nothing is known yet of what a run needs.
    """
    after = before + need
    for kind in (one.name for one in fields(limit)):
        most = getattr(limit, kind)
        if most is not None and (getattr(before, kind) >= most or getattr(after, kind) > most):
            return kind
    return ""
