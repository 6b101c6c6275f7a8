"""Packs of searches that tune the optimiser, each optimiser's by themselves: steps differ by it."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from storage.records import PackCosts
from storage.states import FINAL
from study.deciding.trials import to_point
from study.planning.optimisers import OPTIMIZER

if TYPE_CHECKING:
    from storage import Reader

Tuned = tuple[str, str]
"""Search and optimiser."""


class _Pack(NamedTuple):
    """What one worker began at one moment, or the part of a search and optimiser in it."""

    epochs: float
    device_s: float


def costs_by_optimizer(
    reader: Reader, study: str, searches: Collection[str], own: str
) -> dict[Tuned, list[PackCosts]]:
    """What packs took, by search, optimiser and device.

    Args:
        searches: Those that tune it.
        own: Optimiser of trials that have none of their own.
    """
    tried = {
        row["run"]: (str(row["search"]), _optimizer(row["params"], own))
        for row in _rows(reader, "run_results", study)
        if row["search"] in searches
    }
    packs: dict[tuple[Tuned, str], dict[Any, _Pack]] = {}
    for row in _rows(reader, "attempt_costs", study):
        key = tried.get(row["run"])
        if key is None or not row["epochs"]:
            continue
        begun = packs.setdefault((key, row["device"] or ""), {})
        at = (row["started"], row["worker"])
        before = begun.get(at, _Pack(0.0, 0.0))
        begun[at] = _Pack(before.epochs + row["epochs"], before.device_s + row["device_s"])
    found: dict[Tuned, list[PackCosts]] = {}
    for (key, device), begun in packs.items():
        ordered = [begun[at] for at in sorted(begun)]
        found.setdefault(key, []).append(_summed(key[0], device, ordered))
    return found


def runs_left(reader: Reader, study: str, searches: Collection[str], own: str) -> Counter[Tuned]:
    """How many planned runs are to be trained yet, by search and optimiser.

    Args:
        searches: Those that tune it.
        own: Optimiser of trials that have none of their own.
    """
    return Counter(
        (str(row["search"]), _optimizer(row["params"], own))
        for row in _rows(reader, "run_results", study)
        if row["search"] in searches and row["planned"] and row["state"] not in _ENDED
    )


_ENDED = {str(state.value) for state in FINAL}


def _rows(reader: Reader, view: str, study: str) -> Iterable[Mapping[str, Any]]:
    columns, rows = reader.view(view, study)
    return (dict(zip(columns, row, strict=True)) for row in rows)


def _optimizer(written: str, own: str) -> str:
    return str(to_point(written).get(OPTIMIZER, own))


def _summed(search: str, device: str, packs: Sequence[_Pack]) -> PackCosts:
    turns = list(itertools.pairwise(packs))
    return PackCosts(
        search=search,
        device=device,
        packs=len(packs),
        epochs=int(sum(of.epochs for of in packs)),
        device_s=math.fsum(of.device_s for of in packs),
        epochs_squared=math.fsum(of.epochs**2 for of in packs),
        device_s_squared=math.fsum(of.device_s**2 for of in packs),
        product=math.fsum(of.epochs * of.device_s for of in packs),
        epochs_in_turn=math.fsum(a.epochs * b.epochs for a, b in turns),
        device_s_in_turn=math.fsum(a.device_s * b.device_s for a, b in turns),
        products_in_turn=math.fsum(a.epochs * b.device_s + a.device_s * b.epochs for a, b in turns),
    )
