"""What `weighbridge run` shows under way."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from storage.objectives import known
from study.cli._display import Display, line, screen
from study.deciding.progress import Progress, SearchProgress, WorkerCounts

OBJECTIVES = known([("sum", "mae", "min")])
BEST = {"best": 12.34, "best_sd": 0.44}


def a_search(name: str = "scalarization", **keys: Any) -> SearchProgress:
    given: dict[str, Any] = {
        "search": name,
        "stage": 2,
        "n_stages": 3,
        "label": "grid task_weights",
        "runs_done": 6,
        "runs_expected": 82,
        "epochs_done": 300,
        "epochs_expected": 1984,
        "objective": OBJECTIVES["delta_m"],
        "device_s": 131.0,
        "left_device_s": 500.0,
    }
    return SearchProgress(**(given | keys))


def a_progress(*searches: SearchProgress, **keys: Any) -> Progress:
    given: dict[str, Any] = {
        "states": {},
        "searches": searches or (a_search(),),
        "workers": WorkerCounts(training=1, calibrating=1, runs={"scalarization": 36}),
        "paid_s": 170.0,
        "left_s": 402.0,
    }
    return Progress(**(given | keys))


def shown(progress: Progress, *, width: int = 120, most_rows: int = 9) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width)
    console.print(screen("digits", progress, most_rows=most_rows, width=width))
    return out.getvalue()


def test_a_row_a_search_and_a_line_for_the_workers() -> None:
    text = shown(a_progress(a_search(**BEST)))
    parts = ("2/3 grid task_weights", "6/82", "300/1,984", "Δm +12.34 ± 0.44 %")
    parts += ("2 min 11 s", "8 min 20 s", "21% of the work", "about 6 min 42 s left")
    parts += ("1 calibrating", "1 training scalarization (36)")
    assert [part for part in parts if part not in text] == []


def test_what_is_ranked_by_its_own_metric_shows_that() -> None:
    text = shown(a_progress(a_search(objective=OBJECTIVES["mae"], best=0.03125, best_sd=0.004)))
    assert "mae 0.03125 ± 0.004" in text


def test_an_ended_search_says_so() -> None:
    ended = a_search(stage=4, runs_done=82, epochs_done=1984, left_device_s=0.0)
    assert "ended" in shown(a_progress(ended))


def test_starting_is_shown_as_such() -> None:
    workers = WorkerCounts(starting=2, runs={})
    text = line(a_progress(a_search(left_device_s=None), workers=workers, left_s=None))
    assert "time left not known yet" in text
    assert "2 starting" in text


def test_names_are_no_markup() -> None:
    assert "uw[/red]" in shown(a_progress(a_search("uw[/red]")))


@pytest.mark.parametrize("width", [40, 60, 80, 100, 160])
def test_it_fits_the_terminal(width: int) -> None:
    text = shown(a_progress(a_search(**BEST)), width=width)
    assert max(map(len, text.splitlines())) <= width


def test_in_a_low_terminal_those_under_way_are_seen() -> None:
    ended = [a_search(f"ended{i}", stage=4, runs_done=82, epochs_done=9) for i in range(5)]
    later = [a_search(f"later{i}", runs_done=0, epochs_done=0) for i in range(5)]
    text = shown(a_progress(*ended, *later, a_search("now")), most_rows=1)
    assert ("now" in text, "ended0" in text, "... and 10 more" in text) == (True, False, True)


def test_a_log_gets_a_line_a_minute() -> None:
    out, now_s = io.StringIO(), [0.0]
    display = Display("digits", to=Console(file=out, width=200), clock=lambda: now_s[0])
    with display:
        for second in range(0, 181, 5):
            now_s[0] = float(second)
            display.show(a_progress())
    assert len(out.getvalue().splitlines()) == 4


def test_notes_are_printed_as_they_are() -> None:
    out = io.StringIO()
    Display("digits", to=Console(file=out, width=200)).note("run [/red] skips")
    assert out.getvalue() == "note run [/red] skips\n"
