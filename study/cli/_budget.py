"""``weighbridge budget``: what limits a study, and a higher limit while it is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from storage.records import limits_of_searches, limits_of_study, searches_of
from study.catalogue import stored_name
from study.cli._options import STORAGE, AsJson, StorageUrl, Study, limits_of_words
from study.cli._output import amount, console, next_step, note, print_json, table

if TYPE_CHECKING:
    from storage import Reader
    from storage.records import StudyRecord

NAME = "budget"
_OF_STUDY = ""


def command(
    study: Study,
    limits: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="BUDGET",
            help="Raise a limit: 8h, 200epochs, trials=90, money=5, wall_s=30min. Repeatable.",
        ),
    ] = None,
    search: Annotated[
        str | None,
        typer.Option(help="Raise limits of this search, and of those that share its section."),
    ] = None,
    storage: StorageUrl = STORAGE,
    as_json: AsJson = False,
) -> None:
    """Show the budgets of a study, or raise one; drivers under way follow within seconds.

    What was raised stays so when a TOML file with the old budget is run again.
    """
    wanted = limits_of_words(limits or [])
    if wanted:
        _raise(study, wanted, search, storage)
    from storage import Reader  # SQLAlchemy loads with it

    reader = Reader(storage)
    try:
        record = reader.study(stored_name(study, storage=storage))
        limits_now = _limits(record, reader)
    finally:
        reader.close()
    if as_json:
        print_json("budget", {"study": record.name, "limits": limits_now})
        return
    _show(record.name, limits_now)
    if wanted:
        next_step("run", study, storage=storage, why="unless a driver is under way")


def _raise(study: str, wanted: Mapping[str, float], search: str | None, storage: str) -> None:
    from storage import Storage  # SQLAlchemy loads with it

    database = Storage(storage, create=False)
    try:
        record = database.study(stored_name(study, storage=storage))
        database.raise_budget(record.id, wanted, search=search)
    finally:
        database.close()


def _limits(record: StudyRecord, reader: Reader) -> list[dict[str, Any]]:
    """Every limit that is set: of which searches (none: the study), what it is, what is left."""
    of_study = limits_of_study(record.spec, reader.totals(record.id).used)
    of_searches = limits_of_searches(record.spec, reader.used_by_search(record.id))
    left = {(one.search, one.kind): one.left for one in (*of_study, *of_searches)}
    sections: list[tuple[list[str], Mapping[str, Any]]] = [([], record.spec["budget"])]
    sections += [
        (searches_of(part), part.get("budget") or {}) for part in record.spec.get("search", ())
    ]
    return [
        {
            "searches": names,
            "limit": kind,
            "is": is_now,
            "left": None if names else left.get((_OF_STUDY, kind)),
            "left_by_search": {name: left.get((name, kind)) for name in names},
            "raised": kind in record.raised.get(names[0] if names else _OF_STUDY, {}),
        }
        for names, budget in sections
        for kind, is_now in budget.items()
        if is_now is not None
    ]


def _show(name: str, limits: Sequence[Mapping[str, Any]]) -> None:
    if not limits:
        note(f"{name} has no limit; one is set in [budget] of its spec.")
        return
    rows = table("of", "limit", "is", "left", "", title=name, right=("is", "left"))
    for one in limits:
        for of, left in (one["left_by_search"] or {"the study": one["left"]}).items():
            rows.add_row(
                of,
                one["limit"],
                amount(one["is"]),
                "·" if left is None else amount(left),
                "raised by command" if one["raised"] else "",
            )
    console.print(rows)
