"""What every opened study database tells: where it is, its studies, and measured packs."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.database.opened import Database
from storage.database.retry import Retry, retried
from storage.errors import UnknownStudy
from storage.records import Calibration, ParentNetworks, SearchRecord, StudyName, StudyRecord
from storage.schema.tables import calibrations, searches, studies

SPEC_DEFAULTS: Final[Mapping[str, Any]] = {
    "function": None,
    "problem_options": {},
    "tasks": None,
    "train_fraction": None,
    "label_noise": None,
    "trainer": None,
    "oracle": False,
    "objective": None,
    "diagnostics": {"gradients": None},
    "compare": {"margin": 1.0, "select_epoch": "best", "claim": None, "sealed": False},
    "budget": {"trials": None, "epochs": None, "device_s": None, "money": None, "wall_s": None},
    "cost": {"price_per_h": None},
    "confirm": None,
    "keep": {"networks": "winners", "cap_mib": 2048.0},
    "notify": None,
    "followup": [],
}
"""What a spec says of keys that are younger than it: here, so that no reader needs to ask."""

_STUDIES = sa.select(studies).order_by(studies.c.id)
_NAMES = sa.select(
    studies.c.id, studies.c.name, studies.c.birth, studies.c.paused_at.is_not(None).label("paused")
).order_by(studies.c.id)
_SOME = _STUDIES.where(studies.c.id.in_(bindparam("ids", expanding=True)))
_NAMED = sa.select(studies).where(studies.c.name == bindparam("name"))
_SEARCHES = (
    sa.select(searches)
    .where(searches.c.study_id == bindparam("study"))
    .order_by(searches.c.position)
)
_MEASURED = (
    sa.select(calibrations)
    .where(calibrations.c.shape == bindparam("shape"))
    .order_by(calibrations.c.hardware)
)


class OpenedDatabase:
    """An opened database; the roles of `storage.Storage` and `storage.Reader` share it.

    Each method is one transaction, and waits out trouble that passes.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def url(self) -> str:
        """Where it is, without a password."""
        return self._database.shown_url

    @property
    def retries(self) -> Retry:
        """How long a method waits for trouble to pass."""
        return self._database.retries

    def close(self) -> None:
        """Close all connections."""
        self._database.engine.dispose()

    @contextmanager
    def one_moment(self) -> Iterator[None]:
        """What is asked in the block is told as of one state of the database.

        For a few short questions that must not contradict each other. Trouble is not waited out.
        """
        with self._database.one_moment():
            yield

    @retried
    def studies(self) -> list[StudyRecord]:
        """All studies, oldest first."""
        with self._database.read() as connection:
            return [study_record(row) for row in connection.execute(_STUDIES)]

    @retried
    def study_names(self) -> list[StudyName]:
        """All studies by name, oldest first, without what takes long to read of each."""
        with self._database.read() as connection:
            return [
                StudyName(id=row.id, name=row.name, birth=row.birth, paused=bool(row.paused))
                for row in connection.execute(_NAMES)
            ]

    @retried
    def studies_at(self, study_ids: Collection[int]) -> list[StudyRecord]:
        """The studies of those ids that are there, oldest first."""
        with self._database.read() as connection:
            found = connection.execute(_SOME, {"ids": list(study_ids)})
            return [study_record(row) for row in found]

    @retried
    def find_study(self, name: str) -> StudyRecord | None:
        """The study of that name, or None."""
        with self._database.read() as connection:
            return find_study(connection, name)

    @retried
    def study(self, name: str) -> StudyRecord:
        """The study of that name.

        Raises:
            UnknownStudy: With the names that exist.
        """
        with self._database.read() as connection:
            record = find_study(connection, name)
            if record is not None:
                return record
            raise unknown_study(connection, name)

    @retried
    def searches(self, study_id: int) -> list[SearchRecord]:
        """A study's searches, in the order of its spec."""
        with self._database.read() as connection:
            return [
                SearchRecord(
                    id=row.id,
                    name=row.name,
                    role=row.role,
                    weighting=row.weighting,
                    position=row.position,
                    engine=row.engine,
                    engine_reason=row.engine_reason,
                    stack_rows=row.stack_rows,
                    initial=ParentNetworks.of_text(row.initial),
                )
                for row in connection.execute(_SEARCHES, {"study": study_id})
            ]

    @retried
    def calibrations(self, shape: str) -> list[Calibration]:
        """What was measured of a shape of network on any hardware."""
        with self._database.read() as connection:
            return [calibration(row) for row in connection.execute(_MEASURED, {"shape": shape})]


def find_study(connection: Connection, name: str) -> StudyRecord | None:
    """The study of that name, or None."""
    row = connection.execute(_NAMED, {"name": name}).first()
    return None if row is None else study_record(row)


def unknown_study(connection: Connection, name: str) -> UnknownStudy:
    """The error that a study is not there, with the names of those that are."""
    known = [row.name for row in connection.execute(_STUDIES)]
    return UnknownStudy(
        f"There is no study {name!r} in this database. It holds: {', '.join(known) or 'none yet'}."
    )


def study_record(row: Any) -> StudyRecord:
    """A row of `studies`."""
    return StudyRecord(
        id=row.id,
        name=row.name,
        spec=_completed(json.loads(row.spec)),
        card=json.loads(row.card),
        fingerprint=row.fingerprint,
        created_at=row.created_at,
        birth=row.birth,
        key_name=row.key_name,
        first_name=row.first_name,
        plan=row.plan,
        sealed_at=row.sealed_at,
        unsealed_at=row.unsealed_at,
        paused_at=row.paused_at,
        orders=row.orders,
        stops=row.stops,
        raised=json.loads(row.raised or "{}"),
    )


def _completed(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A stored spec with what it leaves unsaid."""
    sections = {
        key: {**default, **spec.get(key, {})}
        for key, default in SPEC_DEFAULTS.items()
        if isinstance(default, Mapping)
    }
    return {**SPEC_DEFAULTS, **spec, **sections}


def calibration(row: Any) -> Calibration:
    """A row of `calibrations`."""
    return Calibration(
        shape=row.shape,
        hardware=row.hardware,
        pack_size=row.pack_size,
        epoch_s=row.epoch_s,
        run_step_ms={int(size): ms for size, ms in json.loads(row.run_step_ms).items()},
    )
