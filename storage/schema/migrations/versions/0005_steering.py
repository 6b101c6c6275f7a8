"""Studies are steered from outside, with an audit of it, and send notifications.

How alike gradients were is kept by epoch, and what runs show beside their metrics; and which round
of training an epoch belongs to. The start of a run that goes on from another one is in its cost.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")

_GRADIENT_CONFLICTS = """
CREATE VIEW gradient_conflicts AS
SELECT st.name AS study, g.run_id AS run, g.epoch AS epoch,
       CASE g.pairing WHEN 0 THEN 'tasks' WHEN 1 THEN 'samples' END AS pairing,
       CASE g.measure WHEN 0 THEN 'cosine' WHEN 1 THEN 'negative_cosine' WHEN 2 THEN 'magnitude'
                      WHEN 3 THEN 'opposite_signs' END AS measure,
       g.n_pairs AS n_pairs, g.n_left_out AS n_left_out, g.mean AS mean, g.sd AS sd,
       g.low AS percentile_2_5, g.median AS median, g.high AS percentile_97_5,
       g.one_by_one AS one_by_one
FROM gradient_pairs g
JOIN runs r ON r.id = g.run_id
JOIN studies st ON st.id = r.study_id
"""


_RUN_EXHIBITS = """
CREATE VIEW run_exhibits AS
SELECT st.name AS study, x.run_id AS run, x.round AS round, x.epoch AS epoch,
       x.name AS name, x.kind AS kind, x.split AS split, x.title AS title,
       x.content AS content
FROM exhibits x
JOIN runs r ON r.id = x.run_id
JOIN studies st ON st.id = r.study_id
WHERE x.split <> 'test' OR (st.sealed_at IS NULL OR st.unsealed_at IS NOT NULL)
"""

_TRAINING_ROUNDS = """
CREATE VIEW training_rounds AS
SELECT st.name AS study, e.run_id AS run, e.round AS round, MIN(e.epoch) AS first_epoch,
       MAX(e.epoch) AS last_epoch, SUM(e.train_s) AS train_s, SUM(e.validation_s) AS validation_s,
       CAST(SUM(e.grad_evals) AS BIGINT) AS grad_evals
FROM epochs e
JOIN runs r ON r.id = e.run_id
JOIN studies st ON st.id = r.study_id
GROUP BY st.name, e.run_id, e.round
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
                   WHERE e.run_id = r.id
                         AND e.epoch = (SELECT MIN(f.epoch) FROM epochs f
                                        WHERE f.run_id = r.id)), 0.0)
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
                   WHERE e.run_id = r.id
                         AND e.epoch = (SELECT MIN(f.epoch) FROM epochs f
                                        WHERE f.run_id = r.id)), 0.0)
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


def upgrade() -> None:
    connection = op.get_bind()
    time = "VARCHAR(32)" if connection.dialect.name == "sqlite" else "TIMESTAMP WITH TIME ZONE"
    connection.exec_driver_sql(f"ALTER TABLE studies ADD COLUMN paused_at {time}")
    for column in ("orders", "stops"):
        connection.exec_driver_sql(
            f"ALTER TABLE studies ADD COLUMN {column} BIGINT DEFAULT '0' NOT NULL"
        )
    connection.exec_driver_sql("ALTER TABLE studies ADD COLUMN raised TEXT DEFAULT '' NOT NULL")
    _add_audit()
    _add_notifications()
    _add_gradient_pairs()
    _add_exhibits()
    connection.exec_driver_sql("ALTER TABLE epochs ADD COLUMN round INTEGER DEFAULT '1' NOT NULL")
    op.execute(_TRAINING_ROUNDS)
    connection.exec_driver_sql("DROP VIEW run_results")
    connection.exec_driver_sql(" ".join(_RUN_RESULTS.split()))  # on one line: SQLite keeps the text


def _add_audit() -> None:
    """What was done to studies by command, and by whom."""
    op.create_table(
        "audit",
        sa.Column("id", _ID, nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("who", sa.String(255), nullable=False),
        sa.Column("origin", sa.String(255), nullable=False),
        sa.Column("verb", sa.String(32), nullable=False),
        sa.Column("study_name", sa.String(200), nullable=False),
        sa.Column("study_birth", sa.String(32), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_study_birth_id", "audit", ["study_birth", "id"])


def _add_notifications() -> None:
    """Events of studies that are to be sent, or were."""
    op.create_table(
        "notifications",
        sa.Column("id", _ID, nullable=False),
        sa.Column("study_birth", sa.String(32), nullable=False),
        sa.Column("event_key", sa.String(200), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("attempted_at", _TIME, nullable=True),
        sa.Column("delivered_at", _TIME, nullable=True),
        sa.Column("n_attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notifications"),
        sa.UniqueConstraint(
            "study_birth", "event_key", name="uq_notifications_study_birth_event_key"
        ),
    )


def _add_gradient_pairs() -> None:
    """How alike gradients of tasks and of samples were."""
    op.create_table(
        "gradient_pairs",
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("pairing", sa.Integer(), nullable=False),
        sa.Column("measure", sa.Integer(), nullable=False),
        sa.Column("n_pairs", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("n_left_out", sa.BigInteger(), server_default="0", nullable=False),
        *(
            sa.Column(name, sa.Float(53), nullable=True)
            for name in ("mean", "sd", "low", "median", "high")
        ),
        sa.Column("one_by_one", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("run_id", "epoch", "pairing", "measure", name="pk_gradient_pairs"),
        sqlite_with_rowid=False,
    )
    op.execute(_GRADIENT_CONFLICTS)


def _add_exhibits() -> None:
    """What runs show beside their metrics."""
    op.create_table(
        "exhibits",
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("kept_epoch", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("split", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "name", "round", "kept_epoch", name="pk_exhibits"),
    )
    op.execute(_RUN_EXHIBITS)


def downgrade() -> None:
    raise NotImplementedError("Schemas only go up. Restore a copy of the database.")
