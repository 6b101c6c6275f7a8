"""What workers have found of networks: how they can be trained, and what that takes on a device."""

from __future__ import annotations

import json
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import bindparam

from storage.database.retry import retried
from storage.planning.opened import OpenedDatabase, calibration
from storage.planning.writing import lasting, next_change, now
from storage.records import Calibration, NetworkLook
from storage.schema.dialects import put
from storage.schema.tables import attempts, calibrations, looks

_LOOK = sa.select(looks).where(
    looks.c.study_id == bindparam("study_id"), looks.c.key == bindparam("key")
)
_OF_SHAPE = sa.select(calibrations).where(
    calibrations.c.shape == bindparam("shape"), calibrations.c.hardware == bindparam("hardware")
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
        booked = {
            "study_id": study_id,
            "worker_id": worker_id,
            "kind": "calibration",
            "state": "finished",
            "diagnostics_s": seconds,
        }
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
            change = next_change(connection, study_id)
            connection.execute(attempts.insert(), {**booked, **lasting(seconds), "change": change})
