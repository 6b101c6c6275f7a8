"""Searches have their own engine, networks are kept, objectives named, and changes numbered."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Connection

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")


_OBJECTIVES = (
    "decisions ADD COLUMN objective VARCHAR(255) DEFAULT '' NOT NULL",
    "scores ADD COLUMN objective VARCHAR(255) DEFAULT '' NOT NULL",
    "scores ADD COLUMN delta_m_val {real}",
    "scores ADD COLUMN delta_m_test {real}",
)

_NUMBER = "BIGINT DEFAULT '0' NOT NULL"
_CHANGES = (
    "INSERT INTO change_counters (study_id, value) SELECT id, 1 FROM studies",
    f"ALTER TABLE runs ADD COLUMN change {_NUMBER}",
    f"ALTER TABLE runs ADD COLUMN epochs_change {_NUMBER}",
    f"ALTER TABLE attempts ADD COLUMN change {_NUMBER}",
    f"ALTER TABLE decisions ADD COLUMN change {_NUMBER}",
    "UPDATE runs SET epochs_change = 1 WHERE id IN (SELECT run_id FROM epochs)",
    "DROP INDEX ix_runs_pack",
    "CREATE INDEX ix_runs_pack ON runs "
    "(study_id, state, pack_key, planned, queue_rank, trial_number, seed, id) "
    "WHERE state = 'waiting'",
    "DROP INDEX ix_runs_leases",  # leases are found by their study, and renewed by their ids
    "CREATE INDEX ix_runs_change ON runs (study_id, change, id) WHERE state <> 'leased'",
    "CREATE INDEX ix_attempts_change ON attempts (study_id, change, id) WHERE run_id IS NULL",
    "CREATE INDEX ix_decisions_search_id_change ON decisions (search_id, change)",
)

_ENGINE = {
    "engine": "VARCHAR(16)",
    "engine_reason": "TEXT DEFAULT '' NOT NULL",
    "stack_rows": "INTEGER",
}


_RUN_RESULTS = """
CREATE VIEW run_results AS
SELECT st.name AS study, se.name AS search, se.weighting AS weighting, r.role AS role,
       t.number AS trial, r.id AS run, COALESCE(t.written, t.params) AS params,
       r.seed AS seed,
       r.state AS state,
       CASE WHEN r.planned THEN 1 ELSE 0 END AS planned,
       r.epochs_done AS epochs,
       CASE WHEN r.state = 'done' THEN sc.epoch_selected END AS epoch_selected,
       CASE WHEN r.state = 'done' THEN sc.delta_m_val END AS delta_m_val,
       CASE WHEN r.state = 'done' THEN sc.delta_m_test END AS delta_m_test,
       CASE WHEN r.state = 'done' AND sc.delta_m_val IS NOT NULL
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
       r.reason AS reason,
       CASE WHEN r.state = 'done' THEN sc.objective END AS objective,
       CASE WHEN r.state = 'done' THEN sc.value_val END AS value_val,
       CASE WHEN r.state = 'done' THEN sc.value_test END AS value_test
FROM runs r
JOIN trials t ON t.id = r.trial_id
JOIN searches se ON se.id = r.search_id
JOIN studies st ON st.id = se.study_id
LEFT JOIN scores sc ON sc.run_id = r.id
"""

_STAGE_DECISIONS = """
CREATE VIEW stage_decisions AS
SELECT st.name AS study, se.name AS search, d.stage AS stage, t.number AS trial,
       d.value AS value, d.baseline_hash AS baseline_hash,
       CASE WHEN d.standing THEN 1 ELSE 0 END AS standing, d.decided_at AS decided,
       d.objective AS objective
FROM decisions d
JOIN trials t ON t.id = d.trial_id
JOIN searches se ON se.id = d.search_id
JOIN studies st ON st.id = se.study_id
"""


def upgrade() -> None:
    _give_searches_engines()
    _add_networks()
    _add_objectives()
    _count_changes()


def _add_networks() -> None:
    """Networks of runs that are done, by epoch; and which one a search begins from."""
    op.get_bind().exec_driver_sql("ALTER TABLE searches ADD COLUMN initial TEXT")
    op.create_table(
        "networks",
        sa.Column("id", _ID, nullable=False),
        *(sa.Column(f"{name}_id", _ID, nullable=False) for name in ("study", "run", "attempt")),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name="fk_networks_study_id"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_networks_run_id"),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name="fk_networks_attempt_id"),
        sa.PrimaryKeyConstraint("id", name="pk_networks"),
        sa.UniqueConstraint("path", name="uq_networks_path"),
    )
    op.create_index("ix_networks_study_id", "networks", ["study_id"])
    op.create_index("ix_networks_run_id_epoch", "networks", ["run_id", "epoch"])


def _give_searches_engines() -> None:
    """What a study had for all its runs, each of its searches has for its own."""
    connection = op.get_bind()
    for column, kind in _ENGINE.items():
        connection.exec_driver_sql(f"ALTER TABLE searches ADD COLUMN {column} {kind}")
        connection.exec_driver_sql(
            f"UPDATE searches SET {column} = "
            f"(SELECT st.{column} FROM studies st WHERE st.id = searches.study_id)"
        )
        connection.exec_driver_sql(f"ALTER TABLE studies DROP COLUMN {column}")


def _add_objectives() -> None:
    """Scores and decisions say what they go by; delta_m is kept beside a value that is another."""
    connection = op.get_bind()
    real = "FLOAT" if connection.dialect.name == "sqlite" else "FLOAT(53)"
    for column in _OBJECTIVES:
        connection.exec_driver_sql(f"ALTER TABLE {column.format(real=real)}")
    _name_objectives(connection)
    for name, view in (("run_results", _RUN_RESULTS), ("stage_decisions", _STAGE_DECISIONS)):
        connection.exec_driver_sql(f"DROP VIEW {name}")
        # on one line: SQLite keeps the text
        connection.exec_driver_sql(" ".join(view.split()))


def _name_objectives(connection: Connection) -> None:
    """Before, searches went by delta_m, single-task ones and functions by their first metric."""
    rows = connection.exec_driver_sql(
        "SELECT se.id, se.name, se.role, st.card FROM searches se "
        "JOIN studies st ON st.id = se.study_id"
    ).all()
    named = [{"search": row.id, "objective": _objective(row)} for row in rows]
    of_search = "run_id IN (SELECT id FROM runs WHERE search_id = :search)"
    for change in (
        "decisions SET objective = :objective WHERE search_id = :search",
        f"scores SET objective = :objective WHERE {of_search}",
    ):
        if named:
            connection.execute(sa.text(f"UPDATE {change}"), named)
    connection.exec_driver_sql(
        "UPDATE scores SET delta_m_val = value_val, delta_m_test = value_test "
        "WHERE objective = 'delta_m'"
    )


def _objective(search: Any) -> str:
    if search.role not in ("baseline", "function"):
        return "delta_m"
    tasks = json.loads(search.card).get("tasks", ())
    metrics = [(task["name"], metric["name"]) for task in tasks for metric in task["metrics"]]
    alone = [m for m in metrics if search.role == "function" or f"stl/{m[0]}" == search.name]
    if not alone:
        return ""
    return alone[0][1] if len(metrics) == 1 else ".".join(alone[0])


def _count_changes() -> None:
    """What is there already has number 0, and its epochs number 1."""
    connection = op.get_bind()
    op.create_table(
        "change_counters",
        sa.Column("study_id", _ID, nullable=False),
        sa.Column("value", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name="fk_change_counters_study_id"),
        sa.PrimaryKeyConstraint("study_id", name="pk_change_counters"),
    )
    for statement in _CHANGES:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    raise NotImplementedError("Schemas only go up. Restore a copy of the database.")
