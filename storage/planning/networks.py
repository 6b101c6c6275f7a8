"""What workers have found of networks: how they can be trained, and what that takes on a device."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.planning.studies import lasting, now
from storage.records import Calibration, NetworkLook
from storage.schema.dialects import put
from storage.schema.tables import attempts, calibrations, looks

_LOOK = sa.select(looks).where(
    looks.c.study_id == bindparam("study_id"), looks.c.key == bindparam("key")
)
_OF_SHAPE = sa.select(calibrations).where(
    calibrations.c.shape == bindparam("shape"), calibrations.c.hardware == bindparam("hardware")
)
_OF_ALL_HARDWARE = (
    sa.select(calibrations)
    .where(calibrations.c.shape == bindparam("shape"))
    .order_by(calibrations.c.hardware)
)


def find_look(connection: Connection, study_id: int, key: str) -> NetworkLook | None:
    """What was found under this key; None if nobody has looked."""
    row = connection.execute(_LOOK, {"study_id": study_id, "key": key}).first()
    if row is None:
        return None
    return NetworkLook(
        convolutional=row.convolutional,
        obstacle=row.obstacle,
        streamed=row.streamed,
        unsaved=row.unsaved,
    )


def save_look(connection: Connection, study_id: int, key: str, found: NetworkLook) -> None:
    """Store what was found in the place of what was found before."""
    values = {
        "study_id": study_id,
        "key": key,
        "convolutional": found.convolutional,
        "obstacle": found.obstacle,
        "streamed": found.streamed,
        "unsaved": found.unsaved,
    }
    put(connection, looks, values)


def find_calibration(connection: Connection, shape: str, hardware: str) -> Calibration | None:
    """What was measured of a shape of network on this hardware."""
    row = connection.execute(_OF_SHAPE, {"shape": shape, "hardware": hardware}).first()
    return None if row is None else _calibration(row)


def calibrations_of(connection: Connection, shape: str) -> list[Calibration]:
    """The same on every hardware that it was measured on."""
    return [_calibration(row) for row in connection.execute(_OF_ALL_HARDWARE, {"shape": shape})]


def save_calibration(connection: Connection, calibration: Calibration) -> None:
    """Store a measurement in the place of an older one."""
    values = {
        "shape": calibration.shape,
        "hardware": calibration.hardware,
        "pack_size": calibration.pack_size,
        "epoch_s": calibration.epoch_s,
        "run_step_ms": json.dumps(dict(calibration.run_step_ms)),
        "measured_at": now(),
    }
    put(connection, calibrations, values)


def book(connection: Connection, *, study_id: int, worker_id: int, seconds: float) -> None:
    """Enter a measurement's time into the ledger, as an attempt without a run."""
    connection.execute(
        attempts.insert(),
        {
            "study_id": study_id,
            "worker_id": worker_id,
            "kind": "calibration",
            "state": "finished",
            "diagnostics_s": seconds,
            **lasting(seconds),
        },
    )


def _calibration(row: Any) -> Calibration:
    return Calibration(
        shape=row.shape,
        hardware=row.hardware,
        pack_size=row.pack_size,
        epoch_s=row.epoch_s,
        run_step_ms={int(size): ms for size, ms in json.loads(row.run_step_ms).items()},
    )
