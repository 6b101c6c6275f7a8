"""A budget as a user writes it: an amount of one unit of cost."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from reports.errors import BadBudget
from reports.spending.axes import AXES, CostAxis

_TEXT: Final = re.compile(r"\s*(?P<amount>[0-9.]+(?:e[+-]?[0-9]+)?)\s*(?P<unit>[a-z]+)\s*", re.I)
_UNITS: Final[Mapping[str, tuple[CostAxis, float]]] = MappingProxyType(
    {
        "s": ("solo_s", 1.0),
        "min": ("solo_s", 60.0),
        "h": ("solo_s", 3600.0),
        "d": ("solo_s", 86400.0),
        "epochs": ("epochs", 1.0),
        "runs": ("runs", 1.0),
        "samples": ("samples", 1.0),
        "flops": ("flops", 1.0),
        "gflops": ("flops", 1e9),
        "tflops": ("flops", 1e12),
        "pflops": ("flops", 1e15),
        "j": ("energy_j", 1.0),
        "kj": ("energy_j", 1e3),
        "wh": ("energy_j", 3600.0),
        "kwh": ("energy_j", 3.6e6),
        "money": ("money", 1.0),
    }
)
_KNOWN: Final = "s, min, h, d (device time), epochs, runs, samples, Tflops, kJ, kWh, money"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Budget:
    """So much of one unit of cost.

    Attributes:
        axis: The unit.
        amount: How many of it.
    """

    axis: CostAxis
    amount: float

    @property
    def said(self) -> str:
        """``600 device-seconds``, ``1,200 epochs``."""
        return f"{_said(self.amount)} {AXES[self.axis].unit}"


def parse_budgets(texts: Sequence[str], *, as_run: bool = False) -> tuple[Budget, ...]:
    """Budgets of one unit, rising, each once: ``600s``, ``8h``, ``200epochs``, ``1.5kWh``.

    Args:
        as_run: Device time is that of the runs as they were run, not of each run alone.

    Raises:
        BadBudget: A text is no budget, or the units differ in kind.
    """
    found = sorted({_parsed(text, as_run=as_run) for text in texts})
    kinds = dict.fromkeys(budget.axis for budget in found)
    if len(kinds) > 1:
        raise BadBudget(
            f"All budgets of a table must be in one unit. Got {', '.join(texts)}. "
            "Ask for one unit at a time."
        )
    return tuple(found)


def _parsed(text: str, *, as_run: bool) -> Budget:
    found = _TEXT.fullmatch(text)
    unit = _unit(found["unit"].lower()) if found else None
    amount = _number(found["amount"]) if found else 0.0
    if unit is None or not 0 < amount < float("inf"):
        raise BadBudget(
            f"A budget must be a number above 0 and a unit: {_KNOWN}. Got {text!r}. "
            "Write it like 600s, 8h or 200epochs."
        )
    axis, size = unit
    return Budget(axis="as_run_s" if as_run and axis == "solo_s" else axis, amount=amount * size)


def _unit(name: str) -> tuple[CostAxis, float] | None:
    """Units by their usual spellings; those in words may be singular."""
    return _UNITS.get(name) or _UNITS.get(f"{name}s")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:  # such as "1.2.3"
        return 0.0


def _said(amount: float) -> str:
    """Three digits that count; whole numbers, thousands apart, from 100 on."""
    if amount >= 1e7:
        return f"{amount:.3g}"
    return f"{amount:,.0f}" if amount >= 100 or amount == int(amount) else f"{amount:.3g}"
