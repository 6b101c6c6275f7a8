"""Which parameters of a search matter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from reports._importance import Importance
from reports._naming import called
from reports.dashboard.views._stills import pictures
from reports.dashboard.views._view import Cell, Drawn, Seen, Undrawn, View
from reports.drawing import Sketch
from reports.drawing._importances import bars

_CAPTION = (
    "What each parameter explains on validation, by each way to ask; the thin lines are 95 % "
    "intervals over seeds. Shares of one way sum to 100 %."
)


def which_matter(seen: Seen) -> Drawn | Undrawn:
    """One search at a time: exactly on a full grid, else by estimators."""
    chosen = seen.search(lambda cloud: len(cloud.varied()) > 1)
    if chosen is None:
        return Undrawn(reason="No method has finished trials in which two parameters vary yet.")
    found: Sequence[Importance] | None = seen.ask("importances", chosen.chosen)
    if found is None:
        reason = "What the parameters explain is being worked out, by estimators where need be."
        return Undrawn(reason=reason, choices=(chosen,), waits=True)
    if not found:
        return Undrawn(
            reason="Nothing tells which parameters matter: trials are too few (ten, "
            "where they are no full grid) or too many (2,000) for estimators.",
            choices=(chosen,),
        )

    def draw(most: int) -> tuple[Sketch, str]:  # noqa: ARG001 - bars are few
        return bars(found), ""

    return Drawn(
        pictures=pictures(draw, label="Shares of the variance by parameter"),
        choices=(chosen,),
        seen=" ".join(one.sentence for one in found),
        caption=_CAPTION,
        heads=["Parameter", "By", "Share", "95 % interval"],
        rows=[
            [
                Cell(called(one.param)),
                Cell(answer.method),
                Cell(_percent(one.value)),
                Cell(_ends(one)),
            ]
            for answer in found
            for one in answer.shares
        ],
        csv=partial(_csv, found),
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _ends(share: Any) -> str:
    known = share.interval
    return "–" if known is None else f"{100 * known.low:.0f} to {100 * known.high:.0f} %"


def _csv(found: Sequence[Importance]) -> Iterator[list[Any]]:
    yield ["method", "param", "share", "low", "high"]
    for answer in found:
        for one in answer.shares:
            ends = (one.interval.low, one.interval.high) if one.interval else ("", "")
            yield [answer.method, one.param, one.value, *ends]


IMPORTANCES = View(
    key="importances",
    title="Importances",
    says="which parameters matter, and by which way to ask",
    draw=which_matter,
)
