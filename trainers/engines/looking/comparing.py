"""Compares all that is known of two runs, up to rounding."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from trainers.engines.looking.sealing import seal

Seen = dict[str, Any]
"""Everything that is known of a run after an epoch, by name: tensors, values, what is saved."""
AMPLIFIED = 10.0
"""How much more than after a nudge two courses may be apart, for all of their roundings."""
SMALL = 0.01
"""Tensors that are smaller, of all of their kind, are compared as if they were this."""


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """All tensors and plain values in a nest, copied, by name."""
    if isinstance(value, Mapping):
        for key, of in value.items():
            yield from leaves(of, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        for place, of in enumerate(value):
            yield from leaves(of, f"{name}.{place}")
    else:
        yield name, value.detach().clone() if isinstance(value, Tensor) else value


def differing(
    found: Seen, expected: Seen, nudged: Seen, plain: Seen, tolerance: float
) -> list[str]:
    """Names of what differs by more than rounding and ten times what a nudge does."""
    names = [name for name in expected if name not in found]
    names += [name for name in found if name not in expected]
    largest: dict[str, float] = {}
    for name, value in expected.items():
        kind = name.partition(".")[0]
        largest[kind] = max(largest.get(kind, 0.0), _size(value))
    for name in found.keys() & expected.keys():
        kind = name.partition(".")[0]
        # a gradient that should be 0 is some rounding error
        least = 1.0 if kind == "momentum" else SMALL
        allowed = tolerance * max(_size(expected[name]), least * largest[kind])
        if name in nudged and name in plain:
            allowed += AMPLIFIED * _distance(nudged[name], plain[name])
        if not _distance(found[name], expected[name]) <= allowed:
            names.append(name)
    return sorted(names)


def _size(value: Any) -> float:
    if isinstance(value, Tensor) and value.numel():
        return float(torch.nan_to_num(_wide(value).abs()).max())
    return abs(value) if isinstance(value, float) and math.isfinite(value) else 0.0


def _distance(first: Any, second: Any) -> float:
    """The largest difference; infinite for values that have none."""
    if isinstance(first, Tensor) and isinstance(second, Tensor):
        if first.shape != second.shape or first.dtype != second.dtype:
            return math.inf
        if torch.equal(first, second):
            return 0.0
        one, other = _wide(first), _wide(second)
        same = (one == other) | (one.isnan() & other.isnan())
        away = (one - other).abs().masked_fill(same, 0.0)
        return float(away.max()) if away.numel() else 0.0
    if isinstance(first, float) and isinstance(second, float):
        alike = first == second or (math.isnan(first) and math.isnan(second))
        return 0.0 if alike else abs(first - second)
    if type(first) is not type(second):
        return math.inf
    # two objects of a class that knows no equality are the same if they hold the same
    return 0.0 if first == second or seal(first, ()) == seal(second, ()) else math.inf


def _wide(value: Tensor) -> Tensor:
    return value.to(torch.complex128 if value.is_complex() else torch.float64)
