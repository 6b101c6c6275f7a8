"""How the report writes numbers and names."""

import json
import math
import re
from typing import Any, Final

from reports._digits import MINUS
from reports.frames import TaskMetric
from search_spaces.lineage import origin_said

_MOST_DECIMALS: Final = 6
_POWER: Final = re.compile(r"e\+?(-?)0*(?=\d)")

KINDS = {
    "real": "real data",
    "composed": "composed of real data",
    "derived": "derived from real data",
    "semi-synthetic": "semi-synthetic",
    "function": "the training function's own",
}

SCORES = {
    "confirmed": "confirmed on fresh seeds",
    "cross-fit": "cross-fit: chosen on the other seeds",
    "same-seed": "same seeds chose and scored: optimistic",
    "zero line": "reference",
    "none yet": "no value yet",
    "none": "no value: no trial was done on all seeds",
}


def number(value: float, digits: int = 4) -> str:
    """A number with so many significant digits, thousands apart; a dash if there is none."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "diverged"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value)))) if value else 0
    return in_form(value, f".{digits - 1}e" if decimals > _MOST_DECIMALS else f",.{decimals}f")


def in_form(value: float, form: str) -> str:
    """A finite value by a format of Python's: thousands apart, powers of ten without zeros."""
    text = _POWER.sub(r"e\1", f"{value:{form}}")
    return text.replace("-", MINUS)


def percent(value: float) -> str:
    """A delta_m with its sign, in percent."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "diverged"
    return f"{value:+.2f}".replace("-", "−") if value else "0"


def count(value: float) -> str:
    """A whole number, thousands apart."""
    return f"{value:,.0f}"


def seconds(value: float) -> str:
    """Device-seconds, as hours too where there are many."""
    said = f"{number(value, 3) if value < 100 else count(value)} s"
    return f"{said} ({number(value / 3600, 3)} h)" if value >= 3600 else said


def unit_of(metric: TaskMetric) -> tuple[float, str]:
    """What values of a metric are multiplied by to be read, and their unit: shares are percents."""
    if metric.unit != "1":
        return 1.0, metric.unit
    return (100.0, "%") if metric.share else (1.0, "")


def direction(metric: TaskMetric) -> str:
    """An arrow to the better side, and the unit."""
    arrow = "↓" if metric.direction == "min" else "↑"
    return f"{arrow} {unit_of(metric)[1]}".strip()


def value_of(value: Any) -> str:
    """A parameter or a setting as a reader would write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple) and all(isinstance(v, int | float) for v in value):
        return ", ".join(value_of(item) for item in value)
    if isinstance(value, list | tuple | dict):
        return origin_said(value) or json.dumps(value)
    return str(value)
