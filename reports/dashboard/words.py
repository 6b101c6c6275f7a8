"""How pages write numbers and times."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime


def number(value: float | None, digits: int = 4) -> str:
    """So many digits that count; a dash for what is not known."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.{digits}g}".replace("-", "−")


def point(params: str) -> str:
    """A trial's parameters, from their JSON: ``lr 0.03, task weights 0.4 0.4 0.2``."""
    return ", ".join(
        f"{name.replace('_', ' ')} {_value(value)}" for name, value in json.loads(params).items()
    )


def _value(value: object) -> str:
    if isinstance(value, list):
        return " ".join(_value(one) for one in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """``just now``, ``12 s ago``, ``3 h ago``, ``5 days ago``."""
    if moment is None:
        return "–"
    past_s = ((now or datetime.now(UTC)) - moment).total_seconds()
    if past_s < 2:
        return "just now"
    for limit, unit_s, unit in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if past_s < limit:
            return f"{int(past_s // unit_s)} {unit} ago"
    return f"{int(past_s // 86_400)} days ago"


def moment(value: datetime | None) -> str:
    """Day and time in UTC."""
    return "" if value is None else value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
