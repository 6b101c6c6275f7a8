"""How `weighbridge watch` shows a study: a live screen, and the same in a line."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.text import Text

from storage import FINAL, RunState
from storage.objectives import named, title_of
from storage.records import SearchStatus
from storage.wording import listed, of_limit
from study.cli._output import amount, counted, duration, styled, table
from study.cli._watch_events import Event
from study.cli._watched import Look

_AROUND = 12
"""Lines of a terminal beside the headline, the table's rows and the events."""
_FEWEST_EVENTS, _MOST_EVENTS = 3, 8
_WIDE, _WIDEST = 100, 120
_STYLES = {"failed": "bold red", "lost": "yellow", "diverged": "yellow", "decided": "green"}


def state_of(look: Look) -> str:
    """How it stands, in a word or two."""
    states = look.totals.states
    if look.over:
        return "failed" if look.failed else "done"
    if look.spent:
        return "out of budget"
    if look.pulse.alive:
        return "running"
    if look.study.paused:
        return "paused"
    if look.all_ended:
        return "all runs ended"
    if look.is_between:
        return "running"
    return "nobody at work" if states else "not begun"


def screen(look: Look, events: Sequence[Event], *, width: int, height: int) -> RenderableType:
    """All of it, for a terminal of so many columns and lines."""
    said = textwrap.wrap(
        headline(look),
        width=width,
        max_lines=max(2, height // 4),
        placeholder=" ...",
        break_on_hyphens=False,
    )
    room = height - _AROUND - len(said)
    shown = events[-max(_FEWEST_EVENTS, min(_MOST_EVENTS, room - len(look.searches))) :]
    parts: list[RenderableType] = [
        styled((look.study.name, "bold"), f": {state_of(look)}{_since(look)}"),
        styled(("\n".join(said), "bold")),
        _methods(look, width=width, most=max(3, room - len(shown))),
        _whole(look),
        *(styled(line) for line in (*_money(look), workers_said(look))),
        *(event_text(event) for event in shown),
    ]
    if look.trouble:
        parts.append(styled(("not reachable", "bold red"), f" {look.trouble} Trying again."))
    return Group(*parts)


def headline(look: Look) -> str:
    """What it says so far, or why that is not known."""
    answers = look.answers
    if answers.headline:
        return answers.headline
    return answers.unknown or "What it says so far is being worked out."


def event_text(event: Event) -> Text:
    """An event on one line, with the time of day."""
    when = f"{event.at.astimezone():%H:%M:%S}"
    made = styled((when, "dim"), " ", (event.text, _STYLES.get(event.kind, "")))
    made.no_wrap = True
    made.overflow = "ellipsis"
    return made


def line(look: Look) -> str:
    """How far it is, in one line."""
    parts = [
        f"{look.study.name}: {state_of(look)}",
        f"{look.ended}/{_expected(look)} runs",
        f"cost {duration(look.totals.device_s)}",
        *_ahead(look),
        workers_said(look),
    ]
    return "; ".join(parts)


def workers_said(look: Look) -> str:
    """Who is at work, by host and device."""
    workers = look.workers
    if not workers and look.study.paused:
        return "workers: none trains while it is paused; those of a run under way wait"
    if not workers:
        return "workers: between two runs" if look.is_between else "workers: none at work"
    where: dict[tuple[str, str], list[int]] = {}
    for worker in workers:
        where.setdefault((worker.host, worker.device), []).append(len(worker.runs))
    said = [
        f"{len(runs)} on {host} ({device}) with {counted(sum(runs), 'run')}"
        for (host, device), runs in where.items()
    ]
    return f"workers: {listed(said)}"


def _methods(look: Look, *, width: int, most: int) -> RenderableType:
    """A row a search; those that have ended give way to those under way."""
    wide = width >= _WIDE
    values = look.answers.values if width >= _WIDEST else {}
    titles = ("search", "runs", "", *(("failed", "diverged", "epochs") if wide else ()), "cost")
    rows = table(*titles, *([_value_title(look)] if values else []), right=titles[1:])
    expected = _expected_by_search(look)
    order = sorted(look.searches, key=lambda one: _ended(one) >= expected[one.search])
    kept = [one for one in look.searches if one in order[:most]]
    for one in kept:
        done, of = _ended(one), expected[one.search]
        more = []
        if wide:
            bad = [one.states.get(s, 0) for s in (RunState.FAILED, RunState.DIVERGED)]
            more = [*(str(n or "·") for n in bad), f"{one.epochs_done:,}"]
        bar = ProgressBar(total=max(of, 1), completed=done, width=20 if wide else 10)
        cells: list[RenderableType] = [f"{done}/{of}", bar, *more, duration(one.device_s)]
        rows.add_row(styled(one.search), *cells, *([values.get(one.search, "")] if values else []))
    if hidden := len(look.searches) - len(kept):
        rows.add_row(Text(f"... and {hidden} more", style="dim", no_wrap=True))
    return rows


def _value_title(look: Look) -> str:
    return f"{title_of(named(look.study.spec.get('objective'))[0])} on test"


def _whole(look: Look) -> RenderableType:
    expected = _expected(look)
    bar = ProgressBar(total=max(expected, 1), completed=look.ended, width=30)
    return Columns([bar, Text("; ".join([f"{look.ended}/{expected} runs", *_ahead(look)]))])


def _money(look: Look) -> Iterator[str]:
    totals = look.totals
    paid = f"cost: {duration(totals.device_s)} of device time, {totals.epochs:,} epochs"
    yield paid if totals.money is None else f"{paid}, {amount(totals.money)} in money"
    budget = look.study.spec["budget"]
    rest = [of_limit(kind, number, budget[kind]) for kind, number in look.left.items()]
    if rest:
        yield f"left of the budget: {', '.join(rest)}"


def _ahead(look: Look) -> Iterator[str]:
    """What is still to come, and when it ends."""
    forecast = look.answers.forecast
    if look.over or forecast is None:
        return
    if "why" in forecast:
        yield forecast["why"]
        return
    if left := forecast["device_s_left"]:
        yield f"{_range(left)} of device time to come"
    if (wall := forecast["wall_s_left"]) and look.pulse.alive:
        end = datetime.now().astimezone() + timedelta(seconds=wall["value"])
        yield f"ends in about {duration(wall['value'])}, at {end:%H:%M}"


def _range(value: Mapping[str, Any]) -> str:
    low, high = value["low"], value["high"]
    within = "" if low is None or high is None else f" ({duration(low)} to {duration(high)})"
    return duration(value["value"]) + within


def _ended(one: SearchStatus) -> int:
    return sum(n for state, n in one.states.items() if state in FINAL)


def _expected_by_search(look: Look) -> dict[str, int]:
    """Runs in all, as far as is known."""
    forecast = look.answers.forecast or {}
    # those that had ended when it was made, not those that have by now: it is some seconds older
    told = {
        one["search"]: one["runs_ended"] + round(one["runs_left"])
        for one in forecast.get("searches", ())
    }
    return {
        one.search: max(sum(one.states.values()), told.get(one.search, 0)) for one in look.searches
    }


def _expected(look: Look) -> int:
    return sum(_expected_by_search(look).values())


def _since(look: Look) -> str:
    """Since when nobody is at work."""
    last = look.pulse.last
    if look.over or look.pulse.alive or last is None:
        return ""
    return f"; the last thing happened {duration((datetime.now(UTC) - last).total_seconds())} ago"
