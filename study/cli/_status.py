"""``weighbridge status``: runs by state and cost so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from storage import RunState
from storage.records import BadEnding, SearchStatus, StudyRecord, Totals
from study.catalogue import find
from study.cli._options import STORAGE, AsJson, StorageUrl
from study.cli._output import console, duration, next_step, print_json, table

if TYPE_CHECKING:
    from storage import Storage

NAME = "status"
_MOST_BAD = 10


def command(
    study: Annotated[
        str | None, typer.Argument(metavar="[STUDY]", help="One study; default: all.")
    ] = None,
    storage: StorageUrl = STORAGE,
    as_json: AsJson = False,
) -> None:
    """Show runs by state and cost so far."""
    from storage import Storage  # SQLAlchemy loads with it

    database = Storage(storage, create=False)
    try:
        if study is None:
            _all(database, as_json=as_json)
        else:
            name = find(study, storage=storage).spec.name
            _one(database, database.study(name), as_json=as_json)
    finally:
        database.close()


def _all(database: Storage, *, as_json: bool) -> None:
    found = [(record, database.totals(record.id)) for record in database.studies()]
    if as_json:
        print_json([{"study": record.name, **_plain(totals)} for record, totals in found])
        return
    rows = table("study", *RunState, "cost", title=database.url, right=(*RunState, "cost"))
    for record, totals in found:
        rows.add_row(record.name, *_counts(totals.states), duration(totals.device_s))
    console.print(rows)
    if found:
        next_step(f"weighbridge status {found[-1][0].name}")


def _one(database: Storage, record: StudyRecord, *, as_json: bool) -> None:
    totals = database.totals(record.id)
    searches = database.search_status(record.id)
    bad = database.bad_endings(record.id, limit=_MOST_BAD)
    if as_json:
        print_json(
            {
                "study": record.name,
                **_plain(totals),
                "searches": [_search(status) for status in searches],
                "bad_endings": [_bad(ending) for ending in bad],
            }
        )
        return
    rows = table("search", *RunState, "cost", title=record.name, right=(*RunState, "cost"))
    for status in searches:
        rows.add_row(status.search, *_counts(status.states), duration(status.device_s))
    rows.add_section()
    rows.add_row("[bold]all[/]", *_counts(totals.states), f"[bold]{duration(totals.device_s)}[/]")
    console.print(rows)
    for ending in bad:
        console.print(
            f"[yellow]{ending.state}[/] {ending.search} trial {ending.trial} seed {ending.seed}: "
            f"{console.plain(ending.reason)}",
            highlight=False,
        )
    if len(bad) == _MOST_BAD:
        console.print(f"[dim]the first {_MOST_BAD}; all are in the view run_results[/]")
    next_step(f"weighbridge compare {record.name}")


def _counts(states: Any) -> list[str]:
    return [str(states.get(state, 0) or "·") for state in RunState]


def _plain(totals: Totals) -> dict[str, Any]:
    return {
        "states": {state.value: totals.states.get(state, 0) for state in RunState},
        "device_s": totals.device_s,
        "epochs": totals.epochs,
        "trials": totals.trials,
    }


def _search(status: SearchStatus) -> dict[str, Any]:
    return {
        "search": status.search,
        "states": {state.value: status.states.get(state, 0) for state in RunState},
        "device_s": status.device_s,
    }


def _bad(ending: BadEnding) -> dict[str, Any]:
    return {
        "search": ending.search,
        "trial": ending.trial,
        "params": ending.params,
        "seed": ending.seed,
        "state": ending.state.value,
        "epoch": ending.epochs,
        "reason": ending.reason,
    }
