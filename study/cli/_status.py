"""``weighbridge status``: runs by state, cost so far, budget left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from storage import FINAL, RunState, StorageError
from storage.delivery import next_try, overdue
from storage.notices import of_study
from storage.records import (
    BadEnding,
    Notification,
    SearchRecord,
    SearchStatus,
    StudyRecord,
    Totals,
    limits_of_study,
)
from study.catalogue import stored_name
from study.cli._forecast import show_forecast
from study.cli._forecast import to_plain as forecast_to_plain
from study.cli._options import STORAGE, AsJson, StorageUrl
from study.cli._output import (
    amount,
    console,
    counted,
    duration,
    json_alone,
    next_step,
    note,
    print_json,
    run_to_plain,
    say,
    say_notices,
    styled,
    table,
)
from study.errors import StudyError
from study.planning.budget import left

if TYPE_CHECKING:
    from storage import Reader
    from study.deciding.forecast import Forecast

NAME = "status"
_MOST_BAD = 10


def command(
    study: Annotated[
        str | None, typer.Argument(metavar="STUDY", help="One study; default: all.")
    ] = None,
    storage: StorageUrl = STORAGE,
    as_json: AsJson = False,
) -> None:
    """Show runs by state, cost so far, what is left, and the budget; money where it has a price."""
    from storage import Reader  # SQLAlchemy loads with it

    database = Reader(storage)
    try:
        if study is None:
            _all(database, storage=storage, as_json=as_json)
        else:
            name = stored_name(study, storage=storage)
            record = database.study(name)
            with json_alone(as_json):
                waiting = _not_begun(study, record, database.searches(record.id), storage=storage)
                ahead = _ahead(study, database, record, storage=storage, as_json=as_json)
            _one(database, record, waiting, ahead, storage=storage, as_json=as_json)
    finally:
        database.close()


def _all(database: Reader, *, storage: str, as_json: bool) -> None:
    found = [(record, database.totals(record.id)) for record in database.studies()]
    if as_json:
        studies = [totals_to_plain(record, totals) for record, totals in found]
        print_json("status.studies", {"studies": studies})
        return
    costs = _cost_columns(any(totals.money is not None for _, totals in found))
    rows = table("study", *RunState, *costs, title=database.url, right=(*RunState, *costs))
    for record, totals in found:
        rows.add_row(record.name, *_counts(totals.states), *_costs(totals, costs))
    console.print(rows)
    for record, _ in found:
        say_notices(of_study(record), about=record.name)
    if found:
        next_step("status", found[-1][0].name, storage=storage)


def _not_begun(
    study: str, record: StudyRecord, searches: Sequence[SearchRecord], *, storage: str
) -> Mapping[str, str]:
    """Searches that wait for the network of another one, and why; most studies have none."""
    begin = [name for part in record.spec.get("search", ()) for name in _that_begin(part)]
    waiting = {*begin} - {search.name for search in searches if search.initial is not None}
    if not waiting:
        return {}
    from study.api import Study  # plans the study anew

    try:
        return Study.open(study, storage=storage).not_begun()
    except (StudyError, StorageError) as error:
        why = f"cannot be told here: {str(error).rstrip('.')}"
        return dict.fromkeys(waiting, f"whether a network is there to begin from {why}")


def _ahead(
    study: str, database: Reader, record: StudyRecord, *, storage: str, as_json: bool
) -> Forecast | str | None:
    """What is left of a study, or why that cannot be told here.

    When all its runs have ended, as between rounds, that is told in JSON, to programs that wait.
    """
    ended = all(state in FINAL for state in database.totals(record.id).states)
    if ended and not as_json:
        return None
    from study.api import Study  # plans the study anew
    from study.running.forecasting import known_of

    try:
        opened = Study.open(study, storage=storage)
        known = known_of(opened.plan, opened.packs(), storage=storage, device=None)
        return known.forecast(opened.plan, device=None)
    except (StudyError, StorageError) as error:
        return None if ended else f"What is left cannot be told here: {str(error).rstrip('.')}."


def _that_begin(part: Mapping[str, Any]) -> list[str]:
    """Names of the searches of a [[search]] that begin from a network."""
    if not part.get("init_from"):
        return []
    named = part.get("name") or part["weighting"]
    return [named] if isinstance(named, str) else list(named)


def _one(
    database: Reader,
    record: StudyRecord,
    waiting: Mapping[str, str],
    ahead: Forecast | str | None,
    *,
    storage: str,
    as_json: bool,
) -> None:
    n_workers = database.busy_workers(record.id)
    totals = database.totals(record.id)
    searches = database.search_status(record.id)
    engines = {search.name: search.engine for search in database.searches(record.id)}
    bad = database.bad_endings(record.id, limit=_MOST_BAD)
    lost = overdue(database.notifications(record.birth), at=datetime.now(UTC))
    if as_json:
        print_json(
            "status.study",
            {
                **totals_to_plain(record, totals),
                "budget_left": left(record.spec, totals),
                "over": _over(totals, ahead),
                "forecast": _plain_forecast(ahead, n_workers),
                "searches": [_search(status, engines, waiting) for status in searches],
                "bad_endings": [_bad(ending) for ending in bad],
                "undelivered": [_undelivered(one) for one in lost],
            },
        )
        return
    _print_costs(record, totals, searches, engines)
    if isinstance(ahead, str):
        note(ahead)
    elif ahead is not None:
        show_forecast(ahead, workers=n_workers, begun=True)
    _print_bad(bad)
    for name, why in waiting.items():
        say(("waits", "yellow"), f" search {name}: {why}.")
    say_notices(of_study(record))
    for one in lost:
        note(_not_delivered(one))
    if lost:
        next_step("notify", record.name, storage=storage, why="tries again")
    if bad:
        why = "traceback and output"
        next_step("log", record.name, str(bad[0].run), storage=storage, why=why)
    next_step("compare", record.name, storage=storage)


def _print_costs(
    record: StudyRecord,
    totals: Totals,
    searches: Sequence[SearchStatus],
    engines: Mapping[str, str | None],
) -> None:
    costs = _cost_columns(record.spec["cost"]["price_per_h"] is not None)
    rows = table("search", *RunState, *costs, title=record.name, right=(*RunState, *costs))
    differ = len({*engines.values()} - {None}) > 1
    for status in searches:
        engine = f" ({engines[status.search]})" if differ and engines[status.search] else ""
        name = f"{status.search}{engine}"
        rows.add_row(name, *_counts(status.states), *_costs(status, costs))
    rows.add_section()
    bold = [styled((cost, "bold")) for cost in _costs(totals, costs)]
    rows.add_row(styled(("all", "bold")), *_counts(totals.states), *bold)
    console.print(rows)
    say(
        (
            "paid: device time of all attempts, lost and failed ones included; `compare` has what "
            "methods are charged with",
            "dim",
        )
    )
    rest = [one.left_said for one in limits_of_study(record.spec, totals.used)]
    if rest:
        say(f"left of the budget: {', '.join(rest)}")


def _print_bad(bad: Sequence[BadEnding]) -> None:
    for ending in bad:
        trial = f"{ending.search} trial {ending.trial} seed {ending.seed}"
        say((ending.state, "yellow"), f" run {ending.run}, {trial}: {ending.reason}")
    if len(bad) == _MOST_BAD:
        say((f"the first {_MOST_BAD}; all are in the view run_results", "dim"))


def _cost_columns(priced: bool) -> tuple[str, ...]:
    return ("paid", "money") if priced else ("paid",)


def _costs(paid: Totals | SearchStatus, columns: Sequence[str]) -> list[str]:
    """Device time, and money if there is a column for it."""
    money = "·" if paid.money is None else amount(paid.money)
    return [duration(paid.device_s), money][: len(columns)]


def _counts(states: Any) -> list[str]:
    return [str(states.get(state, 0) or "·") for state in RunState]


def totals_to_plain(record: StudyRecord, totals: Totals) -> dict[str, Any]:
    """What a study has spent and how its runs stand, as JSON-ready values."""
    return {
        "study": record.name,
        "states": {state.value: totals.states.get(state, 0) for state in RunState},
        "device_s": totals.device_s,
        "money": totals.money,
        "epochs": totals.epochs,
        "trials": totals.trials,
        "notices": of_study(record),
    }


def _plain_forecast(ahead: Forecast | str | None, workers: int) -> dict[str, Any] | None:
    if ahead is None or (not isinstance(ahead, str) and ahead.over):
        return None
    return {"why": ahead} if isinstance(ahead, str) else forecast_to_plain(ahead, workers=workers)


def _over(totals: Totals, ahead: Forecast | str | None) -> bool | None:
    """Whether nothing is left to train; None where that cannot be told here."""
    if any(state not in FINAL for state in totals.states):
        return False
    return None if ahead is None or isinstance(ahead, str) else ahead.over


def _search(
    status: SearchStatus, engines: Mapping[str, str | None], waiting: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "search": status.search,
        "engine": engines[status.search],
        "waits": waiting.get(status.search),
        "states": {state.value: status.states.get(state, 0) for state in RunState},
        "device_s": status.device_s,
        "money": status.money,
    }


def _bad(ending: BadEnding) -> dict[str, Any]:
    return {
        **run_to_plain(ending),
        "state": ending.state.value,
        "epoch": ending.epochs,
        "reason": ending.reason,
    }


def _not_delivered(one: Notification) -> str:
    """A message that was not delivered: why, and when it is sent again."""
    times = f" in {counted(one.attempts, 'attempt')}" if one.attempts else ""
    why = f": {one.error.rstrip('.')}" if one.error else ""
    again = next_try(one)
    then = (
        "no driver sends it again by itself"
        if again is None
        else f"a driver at work sends it again from {again.astimezone():%Y-%m-%d %H:%M} on"
    )
    return f"the message `{one.event}` was not delivered{times}{why}; {then}."


def _undelivered(one: Notification) -> dict[str, Any]:
    again = next_try(one)
    return {
        "event": one.event,
        "seen": one.created.isoformat(timespec="milliseconds"),
        "attempts": one.attempts,
        "error": one.error or None,
        "next_try": again and again.isoformat(timespec="milliseconds"),
    }
