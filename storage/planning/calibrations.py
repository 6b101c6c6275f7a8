"""What workers have found of networks: how they can be trained, and what that takes on a device."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.database.retry import retried
from storage.planning.opened import OpenedDatabase, calibration
from storage.planning.writing import add, lasting, next_change, now
from storage.records import Calibration, EpochTiming, NetworkLook
from storage.schema.dialects import put
from storage.schema.tables import attempts, calibrations, looks, searches, timings

_LOOK = sa.select(looks).where(
    looks.c.study_id == bindparam("study_id"), looks.c.key == bindparam("key")
)
_OF_SHAPE = sa.select(calibrations).where(
    calibrations.c.shape == bindparam("shape"), calibrations.c.hardware == bindparam("hardware")
)
_CHARGES = (
    sa.select(timings.c.search_id, timings.c.charged_s, timings.c.hardware)
    .join(searches, searches.c.id == timings.c.search_id)
    .where(searches.c.study_id == bindparam("study"))
    .distinct()
)


class Calibrations(OpenedDatabase):
    """The part of `storage.Storage` that keeps what was found of networks."""

    @retried
    def network_look(self, study_id: int, key: str) -> NetworkLook | None:
        """What a look at a study's network has found under this key; None if nobody has looked."""
        with self._database.read() as connection:
            row = connection.execute(_LOOK, {"study_id": study_id, "key": key}).first()
            if row is None:
                return None
            return NetworkLook(
                convolutional=row.convolutional,
                obstacle=row.obstacle,
                streamed=row.streamed,
                unsaved=row.unsaved,
            )

    @retried
    def save_network_look(self, study_id: int, key: str, found: NetworkLook) -> None:
        """Store what a look at a study's network has found, in the place of an earlier look.

        Args:
            key: Hash of what it depends on beside the study: code, device, versions.
        """
        values = {
            "study_id": study_id,
            "key": key,
            "convolutional": found.convolutional,
            "obstacle": found.obstacle,
            "streamed": found.streamed,
            "unsaved": found.unsaved,
        }
        with self._database.write() as connection:
            put(connection, looks, values)

    @retried
    def calibration(self, shape: str, hardware: str) -> Calibration | None:
        """What was measured of a shape of network on this hardware; None if nothing was."""
        here = {"shape": shape, "hardware": hardware}
        with self._database.read() as connection:
            row = connection.execute(_OF_SHAPE, here).first()
            return None if row is None else calibration(row)

    @retried
    def save_calibrations(
        self, found: Sequence[Calibration], *, study_id: int, worker_id: int, seconds: float
    ) -> None:
        """Store what a worker has measured, in the place of older measurements.

        Args:
            seconds: What measuring took: an attempt without a run.
        """
        with self._database.write() as connection:
            for one in found:
                values = {
                    "shape": one.shape,
                    "hardware": one.hardware,
                    "pack_size": one.pack_size,
                    "epoch_s": one.epoch_s,
                    "run_step_ms": json.dumps(dict(one.run_step_ms)),
                    "measured_at": now(),
                }
                put(connection, calibrations, values)
            _book(connection, study_id, worker_id, seconds)

    @retried
    def save_timings(
        self, found: Sequence[EpochTiming], *, study_id: int, worker_id: int, seconds: float
    ) -> None:
        """Store what a worker has timed, beside what was timed before.

        Args:
            seconds: What timing took: an attempt without a run.
        """
        with self._database.write() as connection:
            attempt = _book(connection, study_id, worker_id, seconds)
            rows = [{"attempt_id": attempt, **asdict(one)} for one in found]
            if rows:
                connection.execute(timings.insert(), rows)

    @retried
    def charges(self, study_id: int) -> dict[tuple[str, int], float]:
        """What epochs have as `solo_s` of those searches that are timed, by hardware and search."""
        with self._database.read() as connection:
            return {
                (row.hardware, row.search_id): row.charged_s
                for row in connection.execute(_CHARGES, {"study": study_id})
            }


def _book(connection: Connection, study_id: int, worker_id: int, seconds: float) -> int:
    """The attempt that a calibration is."""
    values = {
        "study_id": study_id,
        "worker_id": worker_id,
        "kind": "calibration",
        "state": "finished",
        "diagnostics_s": seconds,
        "change": next_change(connection, study_id),
    }
    return add(connection, attempts.insert(), {**values, **lasting(seconds)})
