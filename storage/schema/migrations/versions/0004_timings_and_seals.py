"""Epochs alone are timed by search; studies are sealed, and revisions of their specs kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_REAL = sa.Float(53)
_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")

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
       CASE WHEN r.state = 'done' AND (st.sealed_at IS NULL OR st.unsealed_at IS NOT NULL)
            THEN sc.delta_m_test END AS delta_m_test,
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
       COALESCE((SELECT SUM(COALESCE(e.solo_s * COALESCE(tm.factor, 1.0),
                                     e.train_s + e.validation_s))
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
       CASE WHEN r.state = 'done' AND (st.sealed_at IS NULL OR st.unsealed_at IS NOT NULL)
            THEN sc.value_test END AS value_test
FROM runs r
JOIN trials t ON t.id = r.trial_id
JOIN searches se ON se.id = r.search_id
JOIN studies st ON st.id = se.study_id
LEFT JOIN scores sc ON sc.run_id = r.id
LEFT JOIN (SELECT search_id,
                  SUM(time / level) / COUNT(*) * (SUM(level) / COUNT(*)) AS factor
           FROM (SELECT search_id, epoch_s / charged_s AS time,
                        SUM(epoch_s) OVER (PARTITION BY attempt_id, sweep)
                        / SUM(charged_s) OVER (PARTITION BY attempt_id, sweep) AS level
                 FROM timings) of_sweep
           GROUP BY search_id) tm ON tm.search_id = r.search_id
"""

_EPOCH_METRICS = """
CREATE VIEW epoch_metrics AS
SELECT st.name AS study, v.run_id AS run, v.epoch AS epoch, s.split AS split,
       s.task AS task, s.metric AS metric, v.value AS value
FROM epoch_values v
JOIN series s ON s.id = v.series_id
JOIN studies st ON st.id = s.study_id
WHERE s.split <> 'test' OR (st.sealed_at IS NULL OR st.unsealed_at IS NOT NULL)
"""

_BASELINE_METRICS = """
CREATE VIEW baseline_metrics AS
SELECT st.name AS study, b.hash AS baseline_hash, v.task AS task, v.metric AS metric,
       v.split AS split, v.value AS value, b.source AS source, t.number AS trial,
       CASE WHEN b.standing THEN 1 ELSE 0 END AS standing
FROM baseline_values v
JOIN baselines b ON b.id = v.baseline_id
JOIN studies st ON st.id = b.study_id
LEFT JOIN trials t ON t.id = v.trial_id
WHERE v.split <> 'test' OR (st.sealed_at IS NULL OR st.unsealed_at IS NOT NULL)
"""

_EPOCH_TIMINGS = """
CREATE VIEW epoch_timings AS
SELECT st.name AS study, se.name AS search, se.weighting AS weighting, se.role AS role,
       tm.attempt_id AS attempt, tm.sweep AS sweep, tm.hardware AS hardware,
       a.ended_at AS measured, tm.epoch_s AS epoch_s
FROM timings tm
JOIN searches se ON se.id = tm.search_id
JOIN studies st ON st.id = se.study_id
JOIN attempts a ON a.id = tm.attempt_id
"""


def upgrade() -> None:
    _add_timings()
    _add_seals()
    connection = op.get_bind()
    for name in ("run_results", "epoch_metrics", "baseline_metrics"):
        connection.exec_driver_sql(f"DROP VIEW {name}")
    for view in (_RUN_RESULTS, _EPOCH_METRICS, _BASELINE_METRICS, _EPOCH_TIMINGS):
        # on one line: SQLite keeps the text
        connection.exec_driver_sql(" ".join(view.split()))


def _add_timings() -> None:
    """What an epoch of a search's runs takes alone, timed in turn with those of the others."""
    op.create_table(
        "timings",
        sa.Column("search_id", _ID, nullable=False),
        sa.Column("attempt_id", _ID, nullable=False),
        sa.Column("sweep", sa.Integer(), nullable=False),
        sa.Column("hardware", sa.String(255), nullable=False),
        sa.Column("epoch_s", _REAL, nullable=False),
        sa.Column("charged_s", _REAL, nullable=False),
        sa.ForeignKeyConstraint(["search_id"], ["searches.id"], name="fk_timings_search_id"),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name="fk_timings_attempt_id"),
        sa.PrimaryKeyConstraint("search_id", "attempt_id", "sweep", name="pk_timings"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_timings_attempt_id", "timings", ["attempt_id"])


def _add_seals() -> None:
    """Whether test values are shown; and what was changed, or refused, of a spec."""
    connection = op.get_bind()
    time = "VARCHAR(32)" if connection.dialect.name == "sqlite" else "TIMESTAMP WITH TIME ZONE"
    for column in ("sealed_at", "unsealed_at"):
        connection.exec_driver_sql(f"ALTER TABLE studies ADD COLUMN {column} {time}")
    op.create_table(
        "revisions",
        sa.Column("id", _ID, nullable=False),
        sa.Column("study_id", _ID, nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("runs_ended", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name="fk_revisions_study_id"),
        sa.PrimaryKeyConstraint("id", name="pk_revisions"),
    )
    op.create_index("ix_revisions_study_id_id", "revisions", ["study_id", "id"])


def downgrade() -> None:
    raise NotImplementedError("Schemas only go up. Restore a copy of the database.")
