"""Studies get a birth; failures get a text of their own, and times that enclose their cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Connection

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_COLUMNS = (
    "studies ADD COLUMN birth VARCHAR(32) DEFAULT '' NOT NULL",
    "studies ADD COLUMN key_name VARCHAR(200) DEFAULT '' NOT NULL",
    "studies ADD COLUMN first_name VARCHAR(200) DEFAULT '' NOT NULL",
    "studies ADD COLUMN plan VARCHAR(64) DEFAULT '' NOT NULL",
    "attempts ADD COLUMN failure_text TEXT",
    "attempts ADD COLUMN code_fingerprint VARCHAR(64)",
)

# Classes of losses that were stored as words, and without a text.
_WORDS = {
    "holder dead": "DriverLost",
    "lease expired": "LeaseExpired",
    "driver stopped": "DriverStopped",
    "claim not answered": "ClaimUnanswered",
}

_DEVICE_S = "startup_s + train_s + validation_s + test_s + checkpoint_s + diagnostics_s"

_ATTEMPT_COSTS = """
CREATE VIEW attempt_costs AS
SELECT st.name AS study, a.id AS attempt, a.run_id AS run, a.worker_id AS worker,
       a.kind AS kind, a.state AS state, a.failure AS failure,
       a.failure_text AS failure_text, w.host AS host,
       e.device AS device, e.hardware AS hardware, e.code_version AS code_version,
       a.code_fingerprint AS code_fingerprint,
       a.started_at AS started, a.ended_at AS ended,
       a.startup_s + a.train_s + a.validation_s + a.test_s + a.checkpoint_s
       + a.diagnostics_s AS device_s,
       (a.startup_s + a.train_s + a.validation_s + a.test_s + a.checkpoint_s
        + a.diagnostics_s) / 3600.0 * w.price_per_h AS money,
       a.startup_s AS startup_s, a.train_s AS train_s, a.validation_s AS validation_s,
       a.test_s AS test_s, a.checkpoint_s AS checkpoint_s,
       a.diagnostics_s AS diagnostics_s, a.epochs AS epochs, a.samples AS samples,
       a.grad_evals AS grad_evals, a.flops AS flops,
       a.peak_memory_bytes AS peak_memory_bytes, a.energy_j AS energy_j,
       a.mismatched_epochs AS mismatched_epochs
FROM attempts a
JOIN studies st ON st.id = a.study_id
LEFT JOIN workers w ON w.id = a.worker_id
LEFT JOIN environments e ON e.id = w.environment_id
"""


def upgrade() -> None:
    connection = op.get_bind()
    for column in _COLUMNS:
        connection.exec_driver_sql(f"ALTER TABLE {column}")
    _give_births(connection)
    _part_failures(connection)
    _enclose_costs(connection)
    connection.exec_driver_sql("DROP VIEW attempt_costs")
    # on one line: SQLite keeps the text
    connection.exec_driver_sql(" ".join(_ATTEMPT_COSTS.split()))


def downgrade() -> None:
    raise NotImplementedError("Schemas only go up. Restore a copy of the database.")


def _give_births(connection: Connection) -> None:
    # run keys that are stored already call the study by its name
    studies = connection.exec_driver_sql("SELECT id, name FROM studies").all()
    births = [{"id": row.id, "birth": uuid4().hex, "name": row.name} for row in studies]
    _update(connection, "studies SET birth = :birth, key_name = :name, first_name = :name", births)


def _part_failures(connection: Connection) -> None:
    """Before, a failure was a class, or a class and its text behind a colon."""
    rows = connection.exec_driver_sql(
        "SELECT a.id AS id, a.failure AS failure, a.state AS state, r.reason AS reason "
        "FROM attempts a LEFT JOIN runs r ON r.id = a.run_id AND r.token = a.token "
        "WHERE a.failure IS NOT NULL"
    ).all()
    _update(
        connection,
        "attempts SET failure = :failure, failure_text = :failure_text",
        [{"id": row.id, **_parted(row)} for row in rows],
    )


def _parted(row: Any) -> dict[str, str | None]:
    if row.failure in _WORDS:
        return {"failure": _WORDS[row.failure], "failure_text": row.failure}
    failure, _, text = row.failure.partition(": ")
    return {"failure": failure, "failure_text": text or row.reason or None}


def _enclose_costs(connection: Connection) -> None:
    """What has no run was stored as an instant; it began its cost before its end."""
    rows = connection.exec_driver_sql(
        f"SELECT id, ended_at, {_DEVICE_S} AS device_s FROM attempts "
        "WHERE run_id IS NULL AND ended_at IS NOT NULL"
    ).all()
    begins = [{"id": row.id, "started_at": _before(row.ended_at, row.device_s)} for row in rows]
    _update(connection, "attempts SET started_at = :started_at", begins)


def _before(ended: str | datetime, seconds: float) -> str | datetime:
    """That long before, as the database keeps times: SQLite as ISO 8601 text."""
    if isinstance(ended, datetime):
        return ended - timedelta(seconds=seconds)
    began = datetime.fromisoformat(ended) - timedelta(seconds=seconds)
    return began.astimezone(UTC).isoformat(timespec="microseconds")


def _update(connection: Connection, change: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(sa.text(f"UPDATE {change} WHERE id = :id"), rows)
