"""Drawings of a cloud: dots that lead to their trials, on a wide page and on a narrow one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from reports._naming import called
from reports._palette import look
from reports.dashboard.rendering.words import number, ranked
from reports.dashboard.showing.binning import Dots, best_so_far, dots, newest
from reports.dashboard.views._cloud import Cloud
from reports.dashboard.views._view import TABLE, TABLE_ROWS, Cell, Pictures
from reports.drawing import Page, Sketch, still
from reports.drawing._marks import points
from reports.drawing._sketch import Link
from reports.drawing._trace import Trace
from reports.drawing._window import Window, window

PAGES: Final[Mapping[Page, int]] = {"wide": 4_000, "narrow": 1_000}
"""Dots of a picture, at most; four times as few on a phone."""

_MOST_STOPS: Final = 40
_FEW: Final = 400  # dots from which on they are small and faint


def pictures(draw: Callable[[int], tuple[Sketch, str]], *, label: str) -> Pictures:
    """Draw for both pages.

    Args:
        draw: Of so many dots at most: the drawing, and how many trials a dot stands for.
        label: What a screen reader says.
    """
    made = {page: draw(most) for page, most in PAGES.items()}
    svg = {
        page: still(sketch, page=page, label=label, details=TABLE)
        for page, (sketch, _) in made.items()
    }
    said = made["wide"][1]
    return Pictures(wide=svg["wide"], narrow=svg["narrow"], dots=said.replace("runs", "trials"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scatter:
    """Trials in x and y, a colour and a mark a method; what lies outside is an arrow at the edge.

    Attributes:
        x: ``[N]``, as traces hold it.
        drawn_x: ``[N]``, as it lies on the screen.
        y: ``[N]``, the trials' values or another number of theirs.
        view: What part of y is seen.
        keep: ``[N]``, trials that are dots of their own.
        stops: ``[N]``, of those the ones that the tabulator stops at.
        names: Parameters that the pointer says.
    """

    cloud: Cloud
    x: NDArray[np.float64]
    drawn_x: NDArray[np.float64]
    y: NDArray[np.float64]
    view: Window
    keep: NDArray[np.bool_]
    stops: NDArray[np.bool_]
    names: tuple[str, ...] = ()
    say: Callable[[int], str] | None = None

    def traces(self, most: int) -> tuple[list[Trace], str]:
        """One a method, and how many trials a dot stands for."""
        cloud = self.cloud
        shown = np.where(self.view.cuts(self.y), self.view.edge, self.y)
        chosen = dots(self.drawn_x, shown, groups=cloud.code, keep=self.keep, most=most)
        return [one for one in self._by_method(chosen) if len(one["x"])], chosen.said

    def _by_method(self, chosen: Dots) -> Iterator[Trace]:
        cloud, few = self.cloud, len(chosen.at) <= _FEW
        for code, weighting in enumerate(cloud.weightings):
            of_method = cloud.code[chosen.at] == code
            at, n = chosen.at[of_method], chosen.n[of_method]
            style = look(weighting)
            yield points(
                self.x[at],
                self.y[at],
                view=self.view,
                objective=cloud.objective,
                colour=style.colour,
                symbol=style.symbol,
                size=7 if few else 5,
                opacity=0.7 if few else 0.45,
                ended=cloud.lost[at].tolist(),
                name=cloud.titles[code],
                links=links_of(cloud, at, n, self.stops, self.names, self.say),
            )


def links_of(
    cloud: Cloud,
    at: NDArray[np.int64],
    n: NDArray[np.int64],
    stops: NDArray[np.bool_],
    names: tuple[str, ...] = (),
    say: Callable[[int], str] | None = None,
) -> list[Link]:
    """Where dots lead.

    Args:
        at: ``[M]``, the dots' trials.
        n: ``[M]``, how many each stands for.
        stops: ``[N]``, trials that the tabulator stops at.
        names: Parameters that the pointer says.
        say: What it says instead.
    """
    told = say or (lambda trial: cloud.said(trial, *names))
    return [
        Link(
            cloud.link(trial),
            told(trial) + (f" (1 of {many:,} trials here)" if many > 1 else ""),
            bool(stops[trial]),
        )
        for trial, many in zip(at.tolist(), n.tolist(), strict=True)
    ]


def kept(cloud: Cloud, more: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """``[N]``: the best so far of each method, the newest, and what else is said."""
    found = newest(len(cloud)) | best_of_methods(cloud)
    return found if more is None else found | more


def best_of_methods(cloud: Cloud) -> NDArray[np.bool_]:
    """``[N]``: which trials were the best of their method when they came."""
    found, key = np.zeros(len(cloud), dtype=bool), cloud.key
    for code in np.unique(cloud.code):
        mine = np.flatnonzero(cloud.code == code)
        found[mine] = best_so_far(key[mine])
    return found


def few_stops(cloud: Cloud, which: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """``[N]``: of so many trials the best, few enough to pass through with the tabulator."""
    order = np.argsort(np.where(which, cloud.key, np.inf), kind="stable")[:_MOST_STOPS]
    found = np.zeros(len(cloud), dtype=bool)
    found[order] = which[order]
    return found


def window_of(cloud: Cloud, *more: float) -> Window:
    """What part of the values is seen: by the better half of each method's, and more levels."""
    core = []
    for code in np.unique(cloud.code):
        key = np.sort(cloud.key[cloud.code == code])
        core.append(key[: max(2, len(key) // 2)])
    sign = cloud.objective.sign
    good = sign * np.concatenate(core)
    levels = np.array(more, dtype=np.float64)
    return window(np.append(cloud.value, levels), core=np.append(good, levels), sign=sign)


def best_rows(
    cloud: Cloud, names: tuple[str, ...], *, test: bool = False
) -> tuple[list[str], list[list[Cell]]]:
    """The table beside a picture: the best trials, with their parameters."""
    order = np.argsort(cloud.key, kind="stable")[:TABLE_ROWS].tolist()
    heads = ["Trial", cloud.axis, *(called(name) for name in names)]
    if test:
        heads.insert(2, cloud.axis.replace("Validation", "Test"))
    rows = []
    for at in order:
        row = [Cell(cloud.named(at), cloud.link(at))]
        row.append(Cell(str(cloud.lost[at]) or ranked(float(cloud.value[at]), cloud.objective)))
        if test:
            row.append(Cell(ranked(float(cloud.test[at]), cloud.objective)))
        row += [Cell(number(float(cloud.parameters[name][at]))) for name in names]
        rows.append(row)
    return heads, rows


def csv_of(cloud: Cloud, names: tuple[str, ...], **more: NDArray[Any]) -> Iterator[list[Any]]:
    """All trials of a picture, one a line."""
    yield ["search", "trial", "validation", *names, *more]
    columns = [*(cloud.parameters[name] for name in names), *more.values()]
    for at in range(len(cloud)):
        value = str(cloud.lost[at]) or float(cloud.value[at])
        numbers = ["" if np.isnan(column[at]) else f"{column[at]:.6g}" for column in columns]
        yield [cloud.searches[cloud.code[at]], int(cloud.number[at]), value, *numbers]
