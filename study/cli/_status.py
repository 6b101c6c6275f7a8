"""``weighbridge status``: runs by state, cost so far, budget left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from storage import FINAL, RunState, StorageError
from storage.notices import notices
from storage.records import BadEnding, SearchRecord, SearchStatus, StudyRecord, Totals
from study.catalogue import stored_name
from study.cli._forecast import show_forecast
from study.cli._forecast import to_plain as forecast_to_plain
from study.cli._options import STORAGE, AsJson, StorageUrl
from study.cli._output import (
    amount,
    console,
    duration,
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
_UNITS = {
    "trials": "trials",
    "epochs": "epochs",
    "device_s": "device-seconds",
    "money": "in money",
}


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
            waiting = _not_begun(study, record, database.searches(record.id), storage=storage)
            ahead = _ahead(study, database, record, storage=storage)
            _one(database, record, waiting, ahead, storage=storage, as_json=as_json)
    finally:
        database.close()


def _all(database: Reader, *, storage: str, as_json: bool) -> None:
    found = [(record, database.totals(record.id)) for record in database.studies()]
    if as_json:
        print_json(
            [
                {
                    "study": record.name,
                    **_plain(totals),
                    "notices": _notices(record),
                }
                for record, totals in found
            ]
        )
        return
    costs = _cost_columns(any(totals.money is not None for _, totals in found))
    rows = table("study", *RunState, *costs, title=database.url, right=(*RunState, *costs))
    for record, totals in found:
        rows.add_row(record.name, *_counts(totals.states), *_costs(totals, costs))
    console.print(rows)
    for record, _ in found:
        say_notices(_notices(record), about=record.name)
    if found:
        next_step("status", found[-1][0].name, storage=storage)


def _notices(record: StudyRecord) -> tuple[str, ...]:
    return notices(record.spec, sealed=record.sealed)


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
    study: str, database: Reader, record: StudyRecord, *, storage: str
) -> Forecast | str | None:
    """What is left of a study with runs that have not ended, or why that cannot be told here."""
    if all(state in FINAL for state in database.totals(record.id).states):
        return None
    from study.api import Study  # plans the study anew
    from study.running.forecasting import known_of

    try:
        opened = Study.open(study, storage=storage)
        known = known_of(opened.plan, opened.packs(), storage=storage, device=None)
        return known.forecast(opened.plan, device=None)
    except (StudyError, StorageError) as error:
        return f"What is left cannot be told here: {str(error).rstrip('.')}."


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
    if as_json:
        print_json(
            {
                "study": record.name,
                **_plain(totals),
                "notices": _notices(record),
                "budget_left": left(record.spec["budget"], totals),
                "forecast": _plain_forecast(ahead, n_workers),
                "searches": [_search(status, engines, waiting) for status in searches],
                "bad_endings": [_bad(ending) for ending in bad],
            }
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
    say_notices(_notices(record))
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
    budget = record.spec["budget"]
    rest = [
        f"{amount(number)} of {amount(budget[kind])} {_UNITS[kind]}"
        for kind, number in left(budget, totals).items()
    ]
    if rest:
        say(f"left of the budget: {', '.join(rest)}")


def _print_bad(bad: Sequence[BadEnding]) -> None:
    for ending in bad:
        trial = f"{ending.search} trial {ending.trial} seed {ending.seed}"
        say((ending.state, "yellow"), f" run {ending.run}, {trial}: {ending.reason}")
    if len(bad) == _MOST_BAD:
        say((f"the first {_MOST_BAD}; all are in the view run_results", "dim"))


def _cost_columns(priced: bool) -> tuple[str, ...]:
    return ("cost", "money") if priced else ("cost",)


def _costs(paid: Totals | SearchStatus, columns: Sequence[str]) -> list[str]:
    """Device time, and money if there is a column for it."""
    money = "·" if paid.money is None else amount(paid.money)
    return [duration(paid.device_s), money][: len(columns)]


def _counts(states: Any) -> list[str]:
    return [str(states.get(state, 0) or "·") for state in RunState]


def _plain(totals: Totals) -> dict[str, Any]:
    return {
        "states": {state.value: totals.states.get(state, 0) for state in RunState},
        "device_s": totals.device_s,
        "money": totals.money,
        "epochs": totals.epochs,
        "trials": totals.trials,
    }


def _plain_forecast(ahead: Forecast | str | None, workers: int) -> dict[str, Any] | None:
    if ahead is None:
        return None
    return {"why": ahead} if isinstance(ahead, str) else forecast_to_plain(ahead, workers=workers)


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
