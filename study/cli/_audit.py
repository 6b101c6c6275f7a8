"""``weighbridge audit``: who has steered, extended or deleted studies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from storage.records import AuditEntry
from storage.wording import entry_said
from study.catalogue import stored_name
from study.cli._options import STORAGE, AsJson, StorageUrl
from study.cli._output import console, note, print_json, say, table

NAME = "audit"
_LONGEST = 60
_BIRTH = 6


def command(
    study: Annotated[
        str | None,
        typer.Argument(metavar="STUDY", help="One study, deleted ones, too; default: all."),
    ] = None,
    storage: StorageUrl = STORAGE,
    as_json: AsJson = False,
) -> None:
    """List the commands that have changed studies: when, who, from where, before and after."""
    from storage import Reader  # SQLAlchemy loads with it

    reader = Reader(storage)
    try:
        found = reader.audit(study)
        if study is not None and not found:
            found = reader.audit(stored_name(study, storage=storage))
        most = reader.LONGEST
    finally:
        reader.close()
    if as_json:
        print_json("audit", {"entries": [_plain(entry) for entry in found]})
    elif not found:
        note("No command has changed anything yet.")
    else:
        _show(found)
        if len(found) == most:
            say((f"the latest {most}; all are in the database", "dim"))


def _show(found: Sequence[AuditEntry]) -> None:
    rows = table("when", "study", "command", "before", "after", "who", "from")
    births = defaultdict[str, set[str]](set)
    for entry in found:
        births[entry.study].add(entry.birth)
    for entry in found:
        several = len(births[entry.study]) > 1  # one after the other had the name
        rows.add_row(
            f"{entry.made_at.astimezone():%Y-%m-%d %H:%M:%S}",
            f"{entry.study} ({entry.birth[:_BIRTH]})" if several else entry.study,
            entry.verb,
            _said(entry.before),
            _said(entry.after),
            entry.who,
            entry.origin,
        )
    console.print(rows)


def _said(values: Mapping[str, Any]) -> str:
    said = entry_said(values)
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}..."


def _plain(entry: AuditEntry) -> dict[str, Any]:
    return {
        "number": entry.number,
        "at": entry.made_at.isoformat(),
        "who": entry.who,
        "from": entry.origin,
        "study": entry.study,
        "birth": entry.birth,
        "command": entry.verb,
        "before": entry.before,
        "after": entry.after,
    }
