"""What a study takes yet, as `plan` and `status` show it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from study.cli._output import amount, counted, duration, note, say
from study.cli._wide import Column, show

if TYPE_CHECKING:
    from study.deciding.forecast import Forecast, Range, SearchForecast

_TIMED_BY: Mapping[str, str] = {
    "own": "its own packs",
    "like": "the same weighting in other studies",
    "others": "other searches of it",
    "elsewhere": "searches of other studies",
    "calibration": "calibration",
}


def show_forecast(found: Forecast, *, workers: int, begun: bool = False) -> None:
    """A row for each search that has something left, the whole, and its end.

    Args:
        workers: With how many it will be trained; 0: nobody is at work.
        begun: Whether they are at it already.
    """
    left = [search for search in found.searches if search.most_epochs]
    if not left:
        say(f"nothing left to train; {duration(found.paid_s)} of device time were paid")
        return
    if len(found.untimed) == len(left):
        if begun:
            note("no forecast yet: nothing of this shape was timed so far.")
            return
        note(
            "no forecast: nothing of this shape was timed yet. With `--budget wall_s=60` the "
            "command below trains for a minute, after which there is one; without, it goes on."
        )
        return
    _show_table(found, left)
    if found.left_s is None:
        note(f"no forecast of the whole: nothing like {', '.join(found.untimed)} was timed yet.")
        return
    _say_whole(found, workers, begun=begun)


def _show_table(found: Forecast, left: list[SearchForecast]) -> None:
    """A row a search, and the whole below; tables of their own where columns do not fit."""
    whole = found.left_s
    spans = [search.left_s for search in left]
    columns = [
        ("runs left", [f"{search.runs_left:.0f}" for search in left], f"{found.runs_left:.0f}"),
        ("epochs left", [_epochs(search) for search in left], ""),
        ("device time left", [_time(of) for of in spans], _time(whole)),
        ("95 % interval", [_span(of) for of in spans], _span(whole)),
    ]
    if (money := found.money_left) is not None:
        prices = [_share(found, of) for of in spans]
        cells = ["–" if of is None else amount(of) for of in prices]
        columns.append(("money left", cells, amount(money.value)))
    last = [] if whole is None else ["all"]
    timed = [_TIMED_BY[search.pace.source] if search.pace else "–" for search in left]
    show(
        Column(head="search", cells=[*(search.search for search in left), *last], text=True),
        [
            *(
                Column(head=head, cells=[*cells, *([of_all] if last else [])])
                for head, cells, of_all in columns
            ),
            Column(head="timed by", cells=[*timed, *([""] if last else [])], text=True),
        ],
    )


def _time(of: Range | None) -> str:
    return "–" if of is None else duration(of.value)


def _share(found: Forecast, part: Range | None) -> float | None:
    """What a search's part costs, by the price of the whole."""
    if part is None or found.money_left is None or found.left_s is None or not found.left_s.value:
        return None
    return found.money_left.value * part.value / found.left_s.value


def _say_whole(found: Forecast, workers: int, *, begun: bool) -> None:
    whole = found.left_s
    if whole is None:
        return
    money = "" if found.money_left is None else f", {amount(found.money_left.value)} in money"
    if found.money_left is not None and found.money_left.low is not None:
        money += f" ({amount(found.money_left.low)} to {amount(found.money_left.high or 0.0)})"
    budget = "; a budget ends it" if found.limited else ""
    end, wall = "", found.wall_s(workers)
    if wall is not None:
        end = (
            f". With {counted(workers, 'worker')} that never wait "
            f"{duration(wall.value)}{between(wall)}: {'' if begun else 'if begun now, '}until "
            f"{_clock(wall)}"
        )
    say(
        ("left:" if begun else "forecast:", "bold"),
        f" {duration(whole.value)} of device time{between(whole)}{money}{budget}{end}",
    )
    if whole.low is None:
        note("Timed too little to tell an interval: it takes two packs.")


def _epochs(search: SearchForecast) -> str:
    if round(search.least_epochs) == round(search.most_epochs):
        return f"{search.epochs_left:,.0f}"
    return f"{search.epochs_left:,.0f} ({search.least_epochs:,.0f} to {search.most_epochs:,.0f})"


def _span(of: Range | None) -> str:
    if of is None or of.low is None or of.high is None:
        return "–"
    return f"{duration(of.low)} to {duration(of.high)}"


def between(of: Range) -> str:
    """`` (4 min to 14 min)``; empty where nothing tells it."""
    return "" if of.low is None else f" ({_span(of)})"


def _clock(wall: Range) -> str:
    """The end, and the day if it is another one."""
    now = datetime.now().astimezone()
    end = now + timedelta(seconds=wall.value)
    return f"{end:%H:%M}" if end.date() == now.date() else f"{end:%Y-%m-%d %H:%M}"


def to_plain(found: Forecast, *, workers: int) -> dict[str, Any]:
    """The same as JSON-ready values; None where nothing of the shape was timed."""
    wall = found.wall_s(workers)
    return {
        "device_s_paid": found.paid_s,
        "device_s_left": found.left_s and found.left_s.to_plain(),
        "money_left": found.money_left and found.money_left.to_plain(),
        "workers": workers,
        "wall_s_left": wall and wall.to_plain(),
        "ended_by_budget": found.limited,
        "searches": [search.to_plain() for search in found.searches],
    }
