"""Verbs that steer a study under way: the change, and who trains the study then."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from storage.records import Holder, StudyRecord
from storage.states import Liveness
from storage.wording import listed
from study.catalogue import stored_name
from study.cli._output import print_json
from study.drivers.holder import liveness

if TYPE_CHECKING:
    from storage import Storage


@dataclass(frozen=True, slots=True)
class AtWork:
    """Drivers that may be at work, and the runs that drivers hold.

    Attributes:
        drivers: Without those that are known to be gone.
        n_runs: That these hold.
        n_left: Held by drivers that are gone; the next `run` takes them up.
        n_gone: How many of these there are.
    """

    drivers: Sequence[Holder]
    n_runs: int
    n_left: int
    n_gone: int

    @property
    def said(self) -> str:
        """The drivers in words."""
        return listed([f"process {one.pid} on {one.host}" for one in self.drivers])

    def to_plain(self) -> dict[str, Any]:
        """As JSON-ready values."""
        drivers = [{"host": one.host, "pid": one.pid} for one in self.drivers]
        return {"drivers": drivers, "runs_held": self.n_runs, "runs_left_behind": self.n_left}


@dataclass(frozen=True, slots=True)
class Steered:
    """What a verb has changed.

    Attributes:
        record: The study, as it was before.
        changed: Whether it was otherwise.
        here: Who trains it.
    """

    record: StudyRecord
    changed: bool
    here: AtWork


def steered(
    verb: Literal["pause", "resume", "stop"],
    study: str,
    change: Callable[[Storage, StudyRecord], tuple[Mapping[str, Any], Mapping[str, Any]]],
    *,
    storage: str,
    as_json: bool,
) -> Steered | None:
    """Change a study, and print that as JSON if that is asked for: then nothing is left to say.

    Args:
        verb: Whose document it is.
        study: As it was typed.
        change: Does it, and tells what was so before and what is so after.

    Raises:
        StorageError: There is no such study, or the database cannot be changed.
    """
    from storage import Storage  # SQLAlchemy loads with it

    database = Storage(storage, create=False)
    try:
        record = database.study(stored_name(study, storage=storage))
        before, after = change(database, record)
        here = _at_work(database, record.id)
    finally:
        database.close()
    changed = before != after
    if as_json:
        told = {"study": record.name, "changed": changed, "before": before, "after": after}
        print_json(verb, {**told, **here.to_plain()})
        return None
    return Steered(record=record, changed=changed, here=here)


def _at_work(database: Storage, study_id: int) -> AtWork:
    """Who trains a study, by its leases and by what this host knows of their holders."""
    leases = database.leases(study_id)
    there = [holder for holder, left_s in leases if _may_live(holder, left_s)]
    gone = [holder for holder, left_s in leases if not _may_live(holder, left_s)]
    drivers = sorted(dict.fromkeys(there), key=lambda one: (one.host, one.pid))
    return AtWork(
        drivers=drivers, n_runs=len(there), n_left=len(gone), n_gone=len(dict.fromkeys(gone))
    )


def _may_live(holder: Holder, left_s: float) -> bool:
    """As who takes its runs back sees it: see `storage.Storage.take_back`."""
    found = liveness(holder)
    return found is Liveness.ALIVE or (found is Liveness.UNKNOWN and left_s >= 0)
