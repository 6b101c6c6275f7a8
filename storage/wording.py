"""Numbers in sentences and tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def counted(n: float, one: str, several: str | None = None) -> str:
    """``1 seed``, ``1,200 runs``, ``0.5 cores``.

    Args:
        n: How many.
        one: The word for one of them.
        several: The word for more, if it is not that with an s.
    """
    return f"{format(n, ',' if isinstance(n, int) else 'g')} " + (
        one if n == 1 else several or f"{one}s"
    )


def listed(names: Sequence[str]) -> str:
    """``A``, ``A and B``, ``A, B and C``."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def duration(seconds: float) -> str:
    """``30 ms``, ``42 s``, ``3 min 20 s``, ``5 h 12 min``; ``0 s`` if there was nothing."""
    if not seconds:
        return "0 s"
    if seconds < 0.1:
        return f"{max(1000 * seconds, 0.1):.{1 if seconds < 1e-3 else 0}f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def amount(value: float) -> str:
    """``1,234``, ``12.30``; below one, two digits that count."""
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.2f}" if value >= 1 else f"{value:.2g}"


def amount_of(kind: str, value: float) -> str:
    """``1,200``, ``2 min 00 s``, ``12.30``; `kind` as a budget has it."""
    if kind in ("device_s", "wall_s"):
        return duration(value)
    return amount(value) if kind == "money" else f"{value:,.0f}"


def limit_said(value: float) -> str:
    """A limit as it was set, thousands apart: ``20,000``, ``12.5``."""
    return f"{value:,.12g}"


def share_said(value: float) -> str:
    """A share as short as it can be read back: ``1``, ``0.1``, ``0.1234567``."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def of_limit(kind: str, part: float, limit: float) -> str:
    """``6 of 10 epochs``, ``40 s of 2 min 00 s of device time``; `kind` as a budget has it."""
    unit = {
        "device_s": "of device time",
        "money": "in money",
        "wall_s": "for one run of the command",
        "trials": "trials (without baselines)",
    }.get(kind, kind)
    return f"{amount_of(kind, part)} of {amount_of(kind, limit)} {unit}"


def entry_said(values: Mapping[str, Any]) -> str:
    """What an entry of the audit says of before or after: limits of a budget one by one."""
    flat = {**values, **values["budget"]} if isinstance(values.get("budget"), Mapping) else values
    return ", ".join(
        f"{key} {_entry_value(value)}"
        for key, value in flat.items()
        if key != "budget" or flat is values
    )


def _entry_value(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return limit_said(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
