"""A budget as a user writes it: an amount of one unit of cost."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

from reports.errors import BadBudget
from reports.spending.axes import AXES, CostAxis
from storage.amounts import Kind, read_amount
from storage.errors import BadAmount

_OF: Final[Sequence[Kind]] = (
    *("device_s", "epochs", "runs", "samples", "flops", "energy_j", "money"),
)
_OF_FLOPS: Final = (("P", 1e15), ("T", 1e12), ("G", 1e9), ("", 1.0))


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
        """``600 device-seconds``, ``76,800,000 samples``, ``1.5 TFLOPs``."""
        prefix, size = "", 1.0
        if self.axis == "flops":
            prefix, size = next(one for one in _OF_FLOPS if self.amount >= one[1] or one[1] == 1)
        number, unit = _said(self.amount / size), AXES[self.axis].unit
        one = re.sub(r"s\b", "", unit, count=1) if number == "1" else unit
        return f"{number} {prefix}{one}"


def parse_budgets(texts: Sequence[str], *, as_run: bool = False) -> tuple[Budget, ...]:
    """Budgets of one unit, rising, each once: ``600s``, ``8h``, ``200epochs``, ``epochs=200``.

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
    try:
        kind, amount = read_amount(text, of=_OF)
    except BadAmount as error:
        raise BadBudget(str(error)) from None
    axis = cast("CostAxis", kind if kind != "device_s" else "as_run_s" if as_run else "solo_s")
    return Budget(axis=axis, amount=float(amount))


def _said(amount: float) -> str:
    """Three digits that count; whole numbers, thousands apart, from 100 on."""
    return f"{amount:,.0f}" if amount >= 100 or amount == int(amount) else f"{amount:.3g}"
