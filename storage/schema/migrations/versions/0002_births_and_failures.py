"""Studies get a birth; failures get a text of their own, and times that enclose their cost.

Points keep the whole numbers that were written; what is found of networks is kept.
"""

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
    "studies ADD COLUMN stack_rows INTEGER",
    "attempts ADD COLUMN failure_text TEXT",
    "attempts ADD COLUMN code_fingerprint VARCHAR(64)",
    "trials ADD COLUMN written TEXT",
    "workers ADD COLUMN files TEXT DEFAULT '' NOT NULL",
)

# Classes of losses that were stored as words, and without a text.
_WORDS = {
    "holder dead": "DriverLost",
    "lease expired": "LeaseExpired",
    "driver stopped": "DriverStopped",
    "claim not answered": "ClaimUnanswered",
}

_LOOKS = """
CREATE TABLE looks (
    study_id {id} NOT NULL,
    key VARCHAR(64) NOT NULL,
    convolutional BOOLEAN NOT NULL,
    obstacle TEXT NOT NULL,
    streamed BOOLEAN NOT NULL,
    unsaved TEXT NOT NULL,
    CONSTRAINT pk_looks PRIMARY KEY (study_id, key),
    CONSTRAINT fk_looks_study_id FOREIGN KEY(study_id) REFERENCES studies (id)
)
"""

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

_RUN_RESULTS = """
CREATE VIEW run_results AS
SELECT st.name AS study, se.name AS search, se.weighting AS weighting, r.role AS role,
       t.number AS trial, r.id AS run, COALESCE(t.written, t.params) AS params,
       r.seed AS seed,
       r.state AS state,
       CASE WHEN r.planned THEN 1 ELSE 0 END AS planned,
       r.epochs_done AS epochs,
       CASE WHEN r.state = 'done' THEN sc.epoch_selected END AS epoch_selected,
       CASE WHEN r.role IN ('search', 'confirm') AND r.state = 'done'
            THEN sc.value_val END AS delta_m_val,
       CASE WHEN r.role IN ('search', 'confirm') AND r.state = 'done'
            THEN sc.value_test END AS delta_m_test,
       CASE WHEN r.role IN ('search', 'confirm') AND r.state = 'done'
            THEN sc.baseline_hash END AS baseline_hash,
       r.diverged_epoch AS diverged_epoch,
       COALESCE((SELECT SUM(a.startup_s + a.train_s + a.validation_s + a.test_s
                            + a.checkpoint_s + a.diagnostics_s)
                 FROM attempts a WHERE a.run_id = r.id), 0.0) AS device_s,
       COALESCE((SELECT SUM(e.train_s + e.validation_s)
                 FROM epochs e WHERE e.run_id = r.id), 0.0)
       + COALESCE((SELECT a.startup_s FROM epochs e
                   JOIN attempts a ON a.id = e.attempt_id
                   WHERE e.run_id = r.id AND e.epoch = 1), 0.0)
       + COALESCE((SELECT SUM(a.startup_s) FROM epochs e
                   JOIN attempts a ON a.id = e.attempt_id
                   JOIN epochs b ON b.run_id = e.run_id AND b.epoch = e.epoch - 1
                   JOIN attempts p ON p.id = b.attempt_id
                   WHERE e.run_id = r.id AND r.token > 1 AND p.id <> a.id
                         AND p.state = 'finished'), 0.0) AS method_cost_s,
       COALESCE((SELECT SUM(COALESCE(e.solo_s, e.train_s + e.validation_s))
                 FROM epochs e WHERE e.run_id = r.id), 0.0)
       + COALESCE((SELECT a.startup_s FROM epochs e
                   JOIN attempts a ON a.id = e.attempt_id
                   WHERE e.run_id = r.id AND e.epoch = 1), 0.0)
       + COALESCE((SELECT SUM(a.startup_s) FROM epochs e
                   JOIN attempts a ON a.id = e.attempt_id
                   JOIN epochs b ON b.run_id = e.run_id AND b.epoch = e.epoch - 1
                   JOIN attempts p ON p.id = b.attempt_id
                   WHERE e.run_id = r.id AND r.token > 1 AND p.id <> a.id
                         AND p.state = 'finished'), 0.0) AS solo_cost_s,
       CAST(COALESCE((SELECT SUM(e.grad_evals)
                      FROM epochs e WHERE e.run_id = r.id), 0) AS BIGINT) AS grad_evals,
       r.reason AS reason
FROM runs r
JOIN trials t ON t.id = r.trial_id
JOIN searches se ON se.id = r.search_id
JOIN studies st ON st.id = se.study_id
LEFT JOIN scores sc ON sc.run_id = r.id
"""


def upgrade() -> None:
    connection = op.get_bind()
    for column in _COLUMNS:
        connection.exec_driver_sql(f"ALTER TABLE {column}")
    number = "INTEGER" if connection.dialect.name == "sqlite" else "BIGINT"
    connection.exec_driver_sql(_LOOKS.format(id=number))
    connection.exec_driver_sql("CREATE INDEX ix_epochs_attempt_id ON epochs (attempt_id)")
    _give_births(connection)
    _part_failures(connection)
    _enclose_costs(connection)
    for name, view in (("attempt_costs", _ATTEMPT_COSTS), ("run_results", _RUN_RESULTS)):
        connection.exec_driver_sql(f"DROP VIEW {name}")
        # on one line: SQLite keeps the text
        connection.exec_driver_sql(" ".join(view.split()))


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
