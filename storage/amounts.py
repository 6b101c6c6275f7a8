"""Amounts of what is used up, as people write them: ``8h``, ``200epochs``, ``wall_s=30min``."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final, Literal

from storage.errors import BadAmount

Kind = Literal[
    "device_s", "wall_s", "trials", "epochs", "runs", "samples", "flops", "energy_j", "money"
]

_TIME: Final = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
UNITS: Final[Mapping[Kind, Mapping[str, float]]] = MappingProxyType(
    {
        "device_s": _TIME,
        "wall_s": _TIME,
        "trials": {"trials": 1},
        "epochs": {"epochs": 1},
        "runs": {"runs": 1},
        "samples": {"samples": 1},
        "flops": {"flops": 1, "Gflops": 1e9, "Tflops": 1e12, "Pflops": 1e15},
        "energy_j": {"J": 1.0, "kJ": 1e3, "Wh": 3600.0, "kWh": 3.6e6},
        "money": {"money": 1},
    }
)
"""What can be limited or compared at, by name; in which units, and how large these are."""

BY_NAME: Final[frozenset[Kind]] = frozenset({"wall_s"})
"""Those whose units alone mean another kind."""

_COUNTED: Final[frozenset[Kind]] = frozenset({"trials", "epochs", "runs"})
_SHOWN: Final[Mapping[Kind, str]] = {
    "device_s": "s, min, h, d (device time)",
    "flops": "Tflops",
    "energy_j": "kJ, kWh",
}
_TEXT: Final = re.compile(
    r"\s*(?:(?P<kind>\w+)\s*=\s*)?(?P<number>[0-9.]+(?:e[+-]?[0-9]+)?)\s*(?P<unit>[a-z]*)\s*", re.I
)


def read_amount(text: str, *, of: Collection[Kind]) -> tuple[Kind, float]:
    """What is written, and how much of it: ``8h``, ``200epochs``, ``epochs=200``, ``device_s=8h``.

    A name with a bare number is in the name's own unit; a unit without a name is device time or
    what it is called after. Units are known in capitals and singular, too.

    Args:
        of: What may be written here.

    Raises:
        BadAmount: It is none of that.
    """
    found = _TEXT.fullmatch(text)
    number = _number(found["number"]) if found else 0.0
    known = _unit(found["kind"], found["unit"].lower(), of) if found else None
    if known is None or not 0 < number < math.inf:
        raise BadAmount(_rule(text, of))
    kind, size = known
    amount = number * size
    return kind, int(amount) if kind in _COUNTED and amount.is_integer() else amount


def _unit(name: str | None, unit: str, of: Collection[Kind]) -> tuple[Kind, float] | None:
    """Which kind is meant, and the size of its unit."""
    if name is not None:
        kind = next((one for one in of if one == name), None)
        size = None if kind is None else 1.0 if not unit else _size(kind, unit)
        return None if kind is None or size is None else (kind, size)
    sizes = ((kind, _size(kind, unit)) for kind in of if kind not in BY_NAME)
    return next(((kind, size) for kind, size in sizes if size is not None), None)


def _size(kind: Kind, unit: str) -> float | None:
    spelled = {name.lower(): size for name, size in UNITS[kind].items()}
    return spelled.get(unit, spelled.get(f"{unit}s" if len(unit) > 1 else ""))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:  # such as "1.2.3"
        return 0.0


def _rule(text: str, of: Collection[Kind]) -> str:
    units = ", ".join(_SHOWN.get(kind, kind) for kind in of if kind not in BY_NAME)
    named = [f"{kind}=30min" for kind in of if kind in BY_NAME] or ["device_s=8h"]
    return (
        f"A budget must be a number above 0 and a unit: {units}; or NAME=NUMBER, of "
        f"{', '.join(of)}. Got {text!r}. Write it like 600s, 8h or 200epochs, or with its name, as "
        f"epochs=200 or {named[0]}."
    )
