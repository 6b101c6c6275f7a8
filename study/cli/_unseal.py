"""``weighbridge unseal``: show a sealed study's test values, and what was changed before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storage import FINAL
from study.catalogue import stored_name
from study.cli._options import STORAGE, AsJson, StorageUrl, Study, Yes, ask
from study.cli._output import counted, next_step, note, print_json, say
from study.planning.revisions import changes_of
from study.spec.study_spec import parse

if TYPE_CHECKING:
    from datetime import datetime

    from storage import Storage
    from storage.records import Revision, StudyRecord
    from study.spec.compare import CompareSpec

NAME = "unseal"


def command(
    study: Study, yes: Yes = False, storage: StorageUrl = STORAGE, as_json: AsJson = False
) -> None:
    """Show the test values of a sealed study from now on, and list what was changed before.

    A study is sealed by `sealed = true` in [compare], from before its first run. There is no way
    back. Of a study that is unsealed already, the list is printed again.
    """
    from storage import Storage  # SQLAlchemy loads with it

    database = Storage(storage, create=False)
    try:
        before = database.study(stored_name(study, storage=storage))
        history = _history(database, before)
        if not as_json:
            _tell(before, history)
        after = before
        if before.sealed:
            ask(f"Show the test values of {before.name} from now on?", yes=yes)
            after = database.unseal(before.id)
    finally:
        database.close()
    if as_json:
        print_json("unseal", _to_plain(before, after, history))
    elif after.unsealed_at is not None:
        say((after.name, "bold"), f" is unsealed, since {_at(after.unsealed_at)}.")
        next_step("compare", after.name, storage=storage)


@dataclass(frozen=True, slots=True, kw_only=True)
class _History:
    """What there is to know before test values are shown.

    Attributes:
        compare: What was fixed with the seal.
        late: Changes of the spec after a run had ended, each with what it changed.
        runs_left: Runs that have not ended.
    """

    compare: CompareSpec
    late: Sequence[tuple[Revision, Sequence[str]]]
    runs_left: int


def _history(database: Storage, record: StudyRecord) -> _History | None:
    """None if it never was sealed."""
    if record.sealed_at is None:
        return None
    revisions = changes_of(database.revisions(record.id), record.spec)
    states = database.totals(record.id).states
    return _History(
        compare=parse(record.spec, source="as stored").compare,
        late=[(revision, said) for revision, said in revisions if revision.runs_ended],
        runs_left=sum(n for state, n in states.items() if state not in FINAL),
    )


def _tell(record: StudyRecord, history: _History | None) -> None:
    """What was fixed from the start, and what was changed once runs had ended."""
    if record.sealed_at is None or history is None:
        note(f"{record.name} was never sealed: its test values are shown.")
        return
    compare = history.compare
    claim = "no claim" if compare.claim is None else f"the claim: {compare.claim}"
    say((record.name, "bold"), f" was sealed at its beginning, {_at(record.sealed_at)}.")
    say(f"Fixed since then: margin {compare.margin:g}, epoch {compare.select_epoch}, {claim}")
    if not history.late:
        say("Its spec was not changed after its first run.")
    for revision, said in history.late:
        what = "changed" if revision.accepted else "refused"
        ended = f"after {counted(revision.runs_ended, 'run')}"
        say((what, "yellow"), f" {_at(revision.made_at)}, {ended}:")
        for line in said:
            say(f"  {line}")
    if record.sealed and history.runs_left:
        note(
            f"{counted(history.runs_left, 'run')} have not ended. Whoever changes the study from "
            "now on may have seen test values."
        )


def _to_plain(before: StudyRecord, after: StudyRecord, history: _History | None) -> dict[str, Any]:
    return {
        "study": after.name,
        "changed": before.sealed,
        "before": {"sealed": before.sealed},
        "after": {"sealed": after.sealed},
        "sealed_at": _moment(after.sealed_at),
        "unsealed_at": _moment(after.unsealed_at),
        "history": history and _history_to_plain(history),
    }


def _history_to_plain(history: _History) -> dict[str, Any]:
    compare = history.compare
    return {
        "margin": compare.margin,
        "select_epoch": compare.select_epoch,
        "claim": compare.claim,
        "late_changes": [
            {
                "at": _moment(revision.made_at),
                "accepted": revision.accepted,
                "runs_ended": revision.runs_ended,
                "keys": list(said),
            }
            for revision, said in history.late
        ],
        "runs_left": history.runs_left,
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds")


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
