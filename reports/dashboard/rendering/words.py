"""How pages write numbers and times."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from markupsafe import Markup, escape

from reports import _ranking
from reports._naming import called, point_of
from search_spaces.lineage import origin_said
from storage import wording
from storage.objectives import Objective

_MOST: Final = 1e12  # what is greater is written with its power of ten


def number(value: float | None, digits: int = 4) -> str:
    """So many digits that count, thousands whole and apart; a dash for what is not known."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if 1000 <= abs(float(f"{value:.{digits}g}")) < _MOST:
        return f"{value:,.0f}".replace("-", "−")
    return f"{value:.{digits}g}".replace("-", "−")


def amount(value: float) -> str:
    """Whole numbers and thousands whole and apart; others, and the huge, by four digits."""
    return f"{value:,.0f}" if abs(value) < _MOST and value == int(value) else number(value)


def ranked(value: float, objective: Objective) -> str:
    """A value that trials are ranked by, as the overview has it, without its unit."""
    if not math.isfinite(value):
        return number(value)
    return _ranking.number(_without_unit(objective), value)


@lru_cache
def _without_unit(objective: Objective) -> Objective:
    return replace(objective, unit="")


def cost(value: float, kind: str) -> str:
    """What was used: memory in GiB or MiB, money in hundredths, else an amount."""
    if math.isnan(value):
        return "–"
    if kind == "memory":
        return f"{value / 2**30:.2f} GiB" if value >= 2**30 else f"{value / 2**20:.3g} MiB"
    return wording.amount(float(value)) if kind == "money" else amount(value)


def point(params: str) -> str:
    """A trial's parameters, from their JSON: ``learning rate 0.03, task weights 0.4 0.4 0.2``."""
    return ", ".join(f"{called(name)} {value_text(one)}" for name, one in point_of(params).items())


def coded(text: str) -> Markup:
    """Text of messages with its `commands` set as code, and all else escaped."""
    parts = str(text).split("`")
    if len(parts) % 2 == 0:  # one is open: it is no mark
        return escape(text)
    marked = (
        Markup("<code>{}</code>").format(one) if at % 2 else escape(one)
        for at, one in enumerate(parts)
    )
    return Markup("").join(marked)


def value_text(value: object) -> str:
    """A parameter's value; a dash for none."""
    if value is None:
        return "–"
    if isinstance(value, list):
        return " ".join(value_text(one) for one in value)
    return origin_said(value) or (f"{value:.4g}" if isinstance(value, float) else str(value))


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """``just now``, ``12 s ago``, ``3 h ago``, ``5 days ago``, ``in 40 s``."""
    if moment is None:
        return "–"
    past_s = ((now or datetime.now(UTC)) - moment).total_seconds()
    if abs(past_s) < 2:
        return "just now"
    units = ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h"), (math.inf, 86_400, "days"))
    unit_s, unit = next((size, unit) for limit, size, unit in units if abs(past_s) < limit)
    much = f"{int(abs(past_s) // unit_s)} {unit}"
    return f"{much} ago" if past_s > 0 else f"in {much}"


def ahead(moment: datetime, now: datetime | None = None) -> str:
    """``in 40 s``; ``any moment now`` once what was expected is due, since that is all there is."""
    now = now or datetime.now(UTC)
    return ago(moment, now) if (moment - now).total_seconds() >= 2 else "any moment now"


def clock(moment: datetime, now: datetime | None = None) -> str:
    """``22:53`` in UTC, with the day if it is a day off or more."""
    far = abs((moment - (now or datetime.now(UTC))).total_seconds()) >= 86_400
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M" if far else "%H:%M")


def instant(seconds: float) -> datetime | None:
    """A moment from its seconds since the epoch; None for NaN."""
    return None if math.isnan(seconds) else datetime.fromtimestamp(seconds, UTC)


def now() -> str:
    """This moment, as pages tell it to their scripts."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def moment(value: datetime | None) -> str:
    """Day and time in UTC."""
    return "" if value is None else value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
