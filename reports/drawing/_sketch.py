"""A drawing before anything has drawn it."""

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from reports.drawing._trace import Trace

_STEP: Final = re.compile(r"[^.\[\]]+")


class Link(NamedTuple):
    """Where a mark leads: `links`, one a point, or the `link` of a line.

    Attributes:
        title: What it is.
        stop: Whether the tabulator stops at it; all can be pointed at.
    """

    href: str
    title: str
    stop: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """Traces and where they stand.

    Attributes:
        traces: Back to front.
        layout: As Plotly names it, with ``height`` in pixels; its ``meta`` says what differs on a
            ``wide`` and on a ``narrow`` page.
    """

    traces: Sequence[Trace]
    layout: Mapping[str, Any]


def changed(layout: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A layout after flat changes such as ``annotations[2].x``."""
    made = deepcopy(dict(layout))
    for path, value in changes.items():
        *steps, last = _STEP.findall(path)
        at: Any = made
        for step in steps:
            at = at[int(step)] if step.isdigit() else at.setdefault(step, {})
        at[last] = value
    return made
