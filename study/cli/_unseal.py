"""``weighbridge unseal``: show a sealed study's test values, and what was changed before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage import FINAL
from study.catalogue import stored_name
from study.cli._options import STORAGE, StorageUrl, Study, Yes, ask
from study.cli._output import counted, next_step, note, say
from study.planning.revisions import changes_of
from study.spec.study_spec import parse

if TYPE_CHECKING:
    from datetime import datetime

    from storage import Storage
    from storage.records import StudyRecord

NAME = "unseal"


def command(study: Study, yes: Yes = False, storage: StorageUrl = STORAGE) -> None:
    """Show the test values of a sealed study from now on, and list what was changed before.

    A study is sealed by `sealed = true` in [compare], from before its first run. There is no way
    back. Of a study that is unsealed already, the list is printed again.
    """
    from storage import Storage  # SQLAlchemy loads with it

    database = Storage(storage, create=False)
    try:
        record = database.study(stored_name(study, storage=storage))
        if record.sealed_at is None:
            note(f"{record.name} was never sealed: its test values are shown.")
            return
        _tell(database, record)
        if record.sealed:
            ask(f"Show the test values of {record.name} from now on?", yes=yes)
            record = database.unseal(record.id)
    finally:
        database.close()
    if record.unsealed_at is not None:
        say((record.name, "bold"), f" is unsealed, since {_at(record.unsealed_at)}.")
        next_step("compare", record.name, storage=storage)


def _tell(database: Storage, record: StudyRecord) -> None:
    """What was fixed from the start, and what was changed once runs had ended."""
    compare = parse(record.spec, source="as stored").compare
    claim = "no claim" if compare.claim is None else f"the claim: {compare.claim}"
    if record.sealed_at is not None:
        say((record.name, "bold"), f" was sealed at its beginning, {_at(record.sealed_at)}.")
    say(f"Fixed since then: margin {compare.margin:g}, epoch {compare.select_epoch}, {claim}")
    revisions = changes_of(database.revisions(record.id), record.spec)
    late = [(revision, said) for revision, said in revisions if revision.runs_ended]
    if not late:
        say("Its spec was not changed after its first run.")
    for revision, said in late:
        what = "changed" if revision.accepted else "refused"
        ended = f"after {counted(revision.runs_ended, 'run')}"
        say((what, "yellow"), f" {_at(revision.made_at)}, {ended}:")
        for line in said:
            say(f"  {line}")
    states = database.totals(record.id).states
    left = sum(n for state, n in states.items() if state not in FINAL)
    if record.sealed and left:
        note(
            f"{counted(left, 'run')} have not ended. Whoever changes the study from now on may "
            "have seen test values."
        )


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
