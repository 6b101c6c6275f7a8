"""Figures of the report that need every epoch: they are drawn beside the server."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from reports.dashboard.concluding.conclusions import PictureSaid
from reports.dashboard.views._view import Cell, Drawn, Pictures, Seen, Undrawn, View

_WAITS = "It is being drawn from all epochs of the trials that it shows."
_ROWS = 200


def weights(seen: Seen) -> Drawn | Undrawn:
    """The loss weights of each method's winner, epoch by epoch."""
    return _drawn(seen.ask("weights"), ())


def conflicts(seen: Seen) -> Drawn | Undrawn:
    """How alike the gradients of each method's winner were, epoch by epoch."""
    return _drawn(seen.ask("conflicts"), ())


def curves(seen: Seen) -> Drawn | Undrawn:
    """Validation by step of the best trials of a search."""
    chosen = seen.search(lambda _: True)
    if chosen is None:
        return Undrawn(reason="No trial has a value yet.")
    return _drawn(seen.ask("learning_curves", chosen.chosen), (chosen,))


def _drawn(found: PictureSaid | None, choices: Sequence[Any]) -> Drawn | Undrawn:
    if found is None:
        return Undrawn(reason=_WAITS, choices=choices, waits=True)
    if not found.wide.startswith("<svg "):
        return Undrawn(reason=found.wide, choices=choices)
    heads, *rows = list(csv.reader(found.points.splitlines()))
    return Drawn(
        pictures=Pictures(wide=found.wide, narrow=found.narrow),
        choices=choices,
        seen=found.seen,
        caption=found.caption,
        heads=heads,
        rows=[[Cell(text) for text in row] for row in rows[:_ROWS]],
        csv=partial(_all, [heads, *rows]),
    )


def _all(rows: Sequence[Sequence[str]]) -> Iterable[Sequence[str]]:
    return rows


WEIGHTS = View(
    key="weights",
    title="Weights while training",
    says="what loss weights each method’s winner gave the tasks",
    draw=weights,
    of_functions=False,
)
CONFLICTS = View(
    key="conflicts",
    title="Gradient conflicts",
    says="whether gradients of tasks point apart, and more so than those of samples",
    draw=conflicts,
    of_functions=False,
    of_gradients=True,
)
CURVES = View(
    key="curves",
    title="Learning curves",
    says="how the best trials came to their values",
    draw=curves,
    of_methods=False,
)
