"""``weighbridge rename``: give a study another name."""

from __future__ import annotations

from typing import Annotated

import typer

from study.catalogue import refuse_to_hide_preset, stored_name
from study.cli._options import STORAGE, AsJson, StorageUrl, Study, Yes, ask
from study.cli._output import next_step, note, print_json, say
from study.drivers.holder import liveness
from study.spec.study_spec import check_name, parse

NAME = "rename"


def command(
    study: Study,
    new: Annotated[str, typer.Argument(metavar="NEW", help="The name to be.")],
    yes: Yes = False,
    storage: StorageUrl = STORAGE,
    as_json: AsJson = False,
) -> None:
    """Give a stored study another name; what was trained, and what will be, stays the same."""
    from storage import Storage  # SQLAlchemy loads with it

    database = Storage(storage, create=False)
    try:
        record = database.study(stored_name(study, storage=storage))
        spec = parse({**record.spec, "name": new}, source="under its new name")
        check_name(new, what="A study's name")
        refuse_to_hide_preset(new, spec)
        ask(f"Rename {record.name} in {database.url} to {new}?", yes=yes)
        database.rename_study(record.id, new, liveness=liveness)
    finally:
        database.close()
    if as_json:
        before, after = {"name": record.name}, {"name": new}
        told = {"study": new, "changed": True, "before": before, "after": after}
        print_json("rename", told)
        return
    say((record.name, "bold"), " is now ", (new, "bold"), ".")
    note(f"a TOML file of this study is to say: name = {new!r}.")
    next_step("status", new, storage=storage)
