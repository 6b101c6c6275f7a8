"""What `weighbridge run` shows under way: a live table on a terminal, else a line a minute."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.text import Text

from study.cli._output import console, duration, styled, table
from study.deciding.progress import Progress, SearchProgress, WorkerCounts

_LINE_S = 60.0
_AROUND = 9
"""Lines of a terminal that the table's frame and what is below it take."""
_TITLES = ("search", "stage", "runs", "epochs", "best so far", "cost", "cost left")
_NARROW_TITLES = ("search", "runs", "best so far", "cost left")
_WIDE = 110


class Display:
    """Shows where a study stands, and notes above it.

    Args:
        clock: Seconds that do not jump.
    """

    def __init__(
        self,
        name: str,
        *,
        to: Console = console,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._to, self._clock = name, to, clock
        self._live = Live(
            Text(f"{name}: starting"),
            console=to,
            transient=True,
            auto_refresh=False,
            vertical_overflow="crop",
        )
        self._line_s: float | None = None

    def __enter__(self) -> Display:
        if self._to.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._to.is_terminal:
            self._live.stop()

    def show(self, progress: Progress) -> None:
        """Show where the study stands."""
        if self._to.is_terminal:
            height = max(3, self._to.size.height - _AROUND)
            shown = screen(self._name, progress, most_rows=height, width=self._to.size.width)
            self._live.update(shown, refresh=True)
            return
        now_s = self._clock()
        if self._line_s is None or now_s - self._line_s >= _LINE_S:
            self._line_s = now_s
            self._to.print(styled(line(progress)))

    def note(self, message: str) -> None:
        """Say something once, above the table."""
        self._to.print(styled(("note", "yellow"), f" {message}"))


def screen(name: str, progress: Progress, *, most_rows: int, width: int) -> RenderableType:
    """The live table: a row a search, then the workers and the whole."""
    titles = _TITLES if width >= _WIDE else _NARROW_TITLES
    rows = table(*titles, title=name, right=("runs", "epochs", "best so far", "cost", "cost left"))
    shown = _shown(progress.searches, most_rows)
    for search in shown:
        cells = _cells(search)
        rows.add_row(*(styled(cells[title]) for title in titles))
    if hidden := len(progress.searches) - len(shown):
        rows.add_row(Text(f"... and {hidden} more", style="dim", no_wrap=True))
    whole = Columns(
        [
            ProgressBar(total=1.0, completed=progress.share, width=30),
            Text(
                f"{progress.share:.0%} of the work, {_left(progress)}, "
                f"cost {duration(progress.paid_s)}"
            ),
        ]
    )
    return Group(rows, styled(workers_said(progress.workers)), whole)


def line(progress: Progress) -> str:
    """The same in one line."""
    return (
        f"{progress.runs_done}/{progress.runs_expected} runs, {progress.share:.0%} of the work, "
        f"{_left(progress)}, cost {duration(progress.paid_s)}; {workers_said(progress.workers)}"
    )


def workers_said(workers: WorkerCounts) -> str:
    """What the workers do, in words."""
    training = ", ".join(f"{name} ({n})" for name, n in sorted(workers.runs.items()))
    parts = [
        (workers.starting, "starting (imports, data, a look at the network)"),
        (workers.calibrating, "calibrating (times steps)"),
        (workers.training, f"training {training}" if training else "ending a pack"),
        (workers.idle, "waiting for runs"),
    ]
    said = [f"{n} {what}" for n, what in parts if n]
    return f"workers: {'; '.join(said) or 'none yet'}"


def _left(progress: Progress) -> str:
    if progress.left_s is None:
        return "time left not known yet"
    return f"about {duration(progress.left_s)} left"


def _shown(searches: Sequence[SearchProgress], most: int) -> list[SearchProgress]:
    """All searches, or those that are under way and then the others, in the order of the spec."""
    by_interest = sorted(
        range(len(searches)),
        key=lambda i: (searches[i].ended, searches[i].epochs_done == 0, i),
    )
    return [searches[i] for i in sorted(by_interest[:most])]


def _cells(search: SearchProgress) -> dict[str, str]:
    left = search.left_device_s
    return {
        "search": search.search,
        "stage": "ended" if search.ended else f"{search.stage}/{search.n_stages} {search.label}",
        "runs": f"{search.runs_done}/{search.runs_expected}",
        "epochs": f"{search.epochs_done:,}/{search.epochs_expected:,}",
        "best so far": _best(search),
        "cost": duration(search.device_s),
        "cost left": "" if left is None or search.ended else duration(left),
    }


def _best(search: SearchProgress) -> str:
    if search.best is None:
        return ""
    objective = search.objective
    spread = "" if search.best_sd is None else f" ± {search.best_sd:{objective.shown.lstrip('+')}}"
    return f"{objective.title} {search.best:{objective.shown}}{spread} {objective.unit}".rstrip()
