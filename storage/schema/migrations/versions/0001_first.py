"""The first schema: tables, indexes and views as they were released, independent of today's.

SQL both databases share; what they spell differently stands in braces.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SQLITE = {
    "key": "INTEGER",
    "id": "INTEGER",
    "real": "FLOAT",
    "time": "VARCHAR(32)",
    "without_rowid": " WITHOUT ROWID",
}
_POSTGRESQL = {
    "key": "BIGSERIAL",
    "id": "BIGINT",
    "real": "FLOAT(53)",
    "time": "TIMESTAMP WITH TIME ZONE",
    "without_rowid": "",
}

_TABLES = """
CREATE TABLE environments (
    id {key} NOT NULL, hash VARCHAR(64) NOT NULL, content TEXT NOT NULL,
    code_version VARCHAR(100) NOT NULL, device VARCHAR(100) NOT NULL,
    hardware VARCHAR(255) NOT NULL,
    CONSTRAINT pk_environments PRIMARY KEY (id),
    CONSTRAINT uq_environments_hash UNIQUE (hash)
);

CREATE TABLE holders (
    id {key} NOT NULL, host VARCHAR(255) NOT NULL, boot_id VARCHAR(64) NOT NULL,
    pid BIGINT NOT NULL, process_start VARCHAR(64) NOT NULL, started_at {time} NOT NULL,
    CONSTRAINT pk_holders PRIMARY KEY (id),
    CONSTRAINT uq_holders_host_boot_id_pid_process_start UNIQUE (host, boot_id, pid,
        process_start)
);

CREATE TABLE studies (
    id {key} NOT NULL, name VARCHAR(200) NOT NULL, spec TEXT NOT NULL, card TEXT NOT NULL,
    fingerprint VARCHAR(64) NOT NULL, created_at {time} NOT NULL, engine VARCHAR(16),
    engine_reason TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_studies PRIMARY KEY (id),
    CONSTRAINT uq_studies_name UNIQUE (name)
);

CREATE TABLE baselines (
    id {key} NOT NULL, study_id {id} NOT NULL, hash VARCHAR(64) NOT NULL,
    source VARCHAR(16) NOT NULL, standing BOOLEAN NOT NULL, created_at {time} NOT NULL,
    CONSTRAINT pk_baselines PRIMARY KEY (id),
    CONSTRAINT uq_baselines_study_id_hash UNIQUE (study_id, hash),
    CONSTRAINT fk_baselines_study_id FOREIGN KEY(study_id) REFERENCES studies (id)
);

CREATE TABLE searches (
    id {key} NOT NULL, study_id {id} NOT NULL, name VARCHAR(200) NOT NULL,
    role VARCHAR(16) NOT NULL, weighting VARCHAR(64) NOT NULL, position INTEGER NOT NULL,
    CONSTRAINT pk_searches PRIMARY KEY (id),
    CONSTRAINT uq_searches_study_id_name UNIQUE (study_id, name),
    CONSTRAINT fk_searches_study_id FOREIGN KEY(study_id) REFERENCES studies (id)
);

CREATE TABLE series (
    id {key} NOT NULL, study_id {id} NOT NULL, split VARCHAR(16) NOT NULL,
    task VARCHAR(100) NOT NULL, metric VARCHAR(100) NOT NULL,
    CONSTRAINT pk_series PRIMARY KEY (id),
    CONSTRAINT uq_series_study_id_split_task_metric UNIQUE (study_id, split, task, metric),
    CONSTRAINT fk_series_study_id FOREIGN KEY(study_id) REFERENCES studies (id)
);

CREATE TABLE workers (
    id {key} NOT NULL, study_id {id} NOT NULL, holder_id {id} NOT NULL,
    environment_id {id} NOT NULL, host VARCHAR(255) NOT NULL, pid BIGINT NOT NULL,
    price_per_h {real}, started_at {time} NOT NULL,
    CONSTRAINT pk_workers PRIMARY KEY (id),
    CONSTRAINT fk_workers_study_id FOREIGN KEY(study_id) REFERENCES studies (id),
    CONSTRAINT fk_workers_holder_id FOREIGN KEY(holder_id) REFERENCES holders (id),
    CONSTRAINT fk_workers_environment_id FOREIGN KEY(environment_id) REFERENCES environments
        (id)
);

CREATE TABLE stages (
    search_id {id} NOT NULL, stage INTEGER NOT NULL, kind VARCHAR(32) NOT NULL,
    params_tuned TEXT NOT NULL,
    CONSTRAINT uq_stages_search_id_stage UNIQUE (search_id, stage),
    CONSTRAINT fk_stages_search_id FOREIGN KEY(search_id) REFERENCES searches (id)
);

CREATE TABLE trials (
    id {key} NOT NULL, search_id {id} NOT NULL, number INTEGER NOT NULL, params TEXT NOT NULL,
    CONSTRAINT pk_trials PRIMARY KEY (id),
    CONSTRAINT uq_trials_search_id_number UNIQUE (search_id, number),
    CONSTRAINT uq_trials_search_id_params UNIQUE (search_id, params),
    CONSTRAINT fk_trials_search_id FOREIGN KEY(search_id) REFERENCES searches (id)
);

CREATE TABLE baseline_values (
    baseline_id {id} NOT NULL, task VARCHAR(100) NOT NULL, metric VARCHAR(100) NOT NULL,
    split VARCHAR(16) NOT NULL, value {real} NOT NULL, trial_id {id},
    CONSTRAINT uq_baseline_values_baseline_id_task_metric_split UNIQUE (baseline_id, task,
        metric, split),
    CONSTRAINT fk_baseline_values_baseline_id FOREIGN KEY(baseline_id) REFERENCES baselines (id),
    CONSTRAINT fk_baseline_values_trial_id FOREIGN KEY(trial_id) REFERENCES trials (id)
);

CREATE TABLE decisions (
    id {key} NOT NULL, search_id {id} NOT NULL, stage INTEGER NOT NULL, trial_id {id} NOT NULL,
    value {real} NOT NULL, members VARCHAR(64) NOT NULL, baseline_hash VARCHAR(64) NOT NULL,
    standing BOOLEAN NOT NULL, decided_at {time} NOT NULL,
    CONSTRAINT pk_decisions PRIMARY KEY (id),
    CONSTRAINT fk_decisions_search_id FOREIGN KEY(search_id) REFERENCES searches (id),
    CONSTRAINT fk_decisions_trial_id FOREIGN KEY(trial_id) REFERENCES trials (id)
);
CREATE INDEX ix_decisions_search_id_stage ON decisions (search_id, stage);

CREATE TABLE proposals (
    id {key} NOT NULL, search_id {id} NOT NULL, stage INTEGER NOT NULL, number INTEGER NOT NULL,
    round INTEGER NOT NULL, trial_id {id} NOT NULL, standing BOOLEAN NOT NULL,
    CONSTRAINT pk_proposals PRIMARY KEY (id),
    CONSTRAINT uq_proposals_search_id_stage_number UNIQUE (search_id, stage, number),
    CONSTRAINT fk_proposals_search_id FOREIGN KEY(search_id) REFERENCES searches (id),
    CONSTRAINT fk_proposals_trial_id FOREIGN KEY(trial_id) REFERENCES trials (id)
);
CREATE INDEX ix_proposals_trial_id ON proposals (trial_id);

CREATE TABLE runs (
    id {key} NOT NULL, study_id {id} NOT NULL, search_id {id} NOT NULL, trial_id {id} NOT NULL,
    role VARCHAR(16) NOT NULL, seed BIGINT NOT NULL, run_key VARCHAR(64) NOT NULL,
    pack_key VARCHAR(64) NOT NULL, state VARCHAR(16) NOT NULL, queue_rank INTEGER NOT NULL,
    planned BOOLEAN NOT NULL, trial_number INTEGER NOT NULL, epochs_planned INTEGER NOT NULL,
    epochs_done INTEGER DEFAULT '0' NOT NULL, token BIGINT DEFAULT '0' NOT NULL, holder_id {id},
    lease_until_s {real}, ended_at {time}, reason TEXT DEFAULT '' NOT NULL,
    diverged_epoch INTEGER,
    CONSTRAINT pk_runs PRIMARY KEY (id),
    CONSTRAINT uq_runs_run_key UNIQUE (run_key),
    CONSTRAINT fk_runs_study_id FOREIGN KEY(study_id) REFERENCES studies (id),
    CONSTRAINT fk_runs_search_id FOREIGN KEY(search_id) REFERENCES searches (id),
    CONSTRAINT fk_runs_trial_id FOREIGN KEY(trial_id) REFERENCES trials (id),
    CONSTRAINT fk_runs_holder_id FOREIGN KEY(holder_id) REFERENCES holders (id),
    CONSTRAINT ck_runs_state CHECK (state IN ('waiting', 'leased', 'paused', 'done', 'diverged',
        'pruned', 'failed'))
);
CREATE INDEX ix_runs_claim
    ON runs (study_id, state, planned, queue_rank, trial_number, seed, id);
CREATE INDEX ix_runs_leases ON runs (state, holder_id, lease_until_s);
CREATE INDEX ix_runs_pack
    ON runs (study_id, state, pack_key, planned, queue_rank, trial_number, seed, id);
CREATE INDEX ix_runs_search
    ON runs (search_id, state, planned, queue_rank, trial_number, seed, id);
CREATE INDEX ix_runs_trial_id ON runs (trial_id);

CREATE TABLE attempts (
    id {key} NOT NULL, study_id {id} NOT NULL, run_id {id}, worker_id {id}, token BIGINT,
    kind VARCHAR(16) NOT NULL, state VARCHAR(16) NOT NULL, failure TEXT,
    failure_key TEXT, detail TEXT DEFAULT '' NOT NULL, started_at {time} NOT NULL, ended_at {time},
    startup_s {real} DEFAULT '0' NOT NULL, train_s {real} DEFAULT '0' NOT NULL,
    validation_s {real} DEFAULT '0' NOT NULL, test_s {real} DEFAULT '0' NOT NULL,
    checkpoint_s {real} DEFAULT '0' NOT NULL, diagnostics_s {real} DEFAULT '0' NOT NULL,
    epochs BIGINT DEFAULT '0' NOT NULL, samples BIGINT DEFAULT '0' NOT NULL,
    grad_evals BIGINT DEFAULT '0' NOT NULL, mismatched_epochs BIGINT DEFAULT '0' NOT NULL,
    flops {real} DEFAULT '0' NOT NULL, peak_memory_bytes BIGINT, energy_j {real},
    CONSTRAINT pk_attempts PRIMARY KEY (id),
    CONSTRAINT uq_attempts_run_id_token UNIQUE (run_id, token),
    CONSTRAINT fk_attempts_study_id FOREIGN KEY(study_id) REFERENCES studies (id),
    CONSTRAINT fk_attempts_run_id FOREIGN KEY(run_id) REFERENCES runs (id),
    CONSTRAINT fk_attempts_worker_id FOREIGN KEY(worker_id) REFERENCES workers (id)
);
CREATE INDEX ix_attempts_study_id_id ON attempts (study_id, id);

CREATE TABLE calibrations (
    shape VARCHAR(64) NOT NULL, hardware VARCHAR(255) NOT NULL, pack_size INTEGER NOT NULL,
    epoch_s {real} NOT NULL, run_step_ms TEXT NOT NULL, measured_at {time} NOT NULL,
    CONSTRAINT pk_calibrations PRIMARY KEY (shape, hardware)
);

CREATE TABLE epoch_values (
    run_id {id} NOT NULL, epoch INTEGER NOT NULL, series_id {id} NOT NULL,
    value {real} NOT NULL,
    CONSTRAINT pk_epoch_values PRIMARY KEY (run_id, epoch, series_id)
){without_rowid};

CREATE TABLE scores (
    run_id {id} NOT NULL, baseline_hash VARCHAR(64) NOT NULL, epoch_selected INTEGER NOT NULL,
    value_val {real} NOT NULL, value_test {real} NOT NULL,
    CONSTRAINT pk_scores PRIMARY KEY (run_id),
    CONSTRAINT fk_scores_run_id FOREIGN KEY(run_id) REFERENCES runs (id)
);

CREATE TABLE checkpoints (
    id {key} NOT NULL, run_id {id} NOT NULL, attempt_id {id} NOT NULL, epoch INTEGER NOT NULL,
    path TEXT NOT NULL, size_bytes BIGINT NOT NULL, created_at {time} NOT NULL,
    CONSTRAINT pk_checkpoints PRIMARY KEY (id),
    CONSTRAINT uq_checkpoints_path_run_id_epoch UNIQUE (path, run_id, epoch),
    CONSTRAINT fk_checkpoints_run_id FOREIGN KEY(run_id) REFERENCES runs (id),
    CONSTRAINT fk_checkpoints_attempt_id FOREIGN KEY(attempt_id) REFERENCES attempts (id)
);
CREATE INDEX ix_checkpoints_run_id_epoch ON checkpoints (run_id, epoch);

CREATE TABLE epochs (
    run_id {id} NOT NULL, epoch INTEGER NOT NULL, attempt_id {id} NOT NULL,
    train_s {real} DEFAULT '0' NOT NULL, validation_s {real} DEFAULT '0' NOT NULL,
    solo_s {real}, grad_evals BIGINT DEFAULT '0' NOT NULL,
    CONSTRAINT pk_epochs PRIMARY KEY (run_id, epoch),
    CONSTRAINT fk_epochs_run_id FOREIGN KEY(run_id) REFERENCES runs (id),
    CONSTRAINT fk_epochs_attempt_id FOREIGN KEY(attempt_id) REFERENCES attempts (id)
){without_rowid};
"""

_VIEWS = """
CREATE VIEW run_results AS
SELECT st.name AS study, se.name AS search, se.weighting AS weighting, r.role AS role,
       t.number AS trial, r.id AS run, t.params AS params, r.seed AS seed,
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
LEFT JOIN scores sc ON sc.run_id = r.id;

CREATE VIEW epoch_metrics AS
SELECT st.name AS study, v.run_id AS run, v.epoch AS epoch, s.split AS split,
       s.task AS task, s.metric AS metric, v.value AS value
FROM epoch_values v
JOIN series s ON s.id = v.series_id
JOIN studies st ON st.id = s.study_id;

CREATE VIEW attempt_costs AS
SELECT st.name AS study, a.id AS attempt, a.run_id AS run, a.worker_id AS worker,
       a.kind AS kind, a.state AS state, a.failure AS failure, w.host AS host,
       e.device AS device, e.hardware AS hardware, e.code_version AS code_version,
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
LEFT JOIN environments e ON e.id = w.environment_id;

CREATE VIEW stage_trials AS
SELECT st.name AS study, se.name AS search, p.stage AS stage, g.kind AS kind,
       g.params_tuned AS params_tuned, p.round AS round, p.number AS position,
       t.number AS trial
FROM proposals p
JOIN trials t ON t.id = p.trial_id
JOIN searches se ON se.id = p.search_id
JOIN stages g ON g.search_id = p.search_id AND g.stage = p.stage
JOIN studies st ON st.id = se.study_id
WHERE p.standing;

CREATE VIEW stage_decisions AS
SELECT st.name AS study, se.name AS search, d.stage AS stage, t.number AS trial,
       d.value AS value, d.baseline_hash AS baseline_hash,
       CASE WHEN d.standing THEN 1 ELSE 0 END AS standing, d.decided_at AS decided
FROM decisions d
JOIN trials t ON t.id = d.trial_id
JOIN searches se ON se.id = d.search_id
JOIN studies st ON st.id = se.study_id;

CREATE VIEW baseline_metrics AS
SELECT st.name AS study, b.hash AS baseline_hash, v.task AS task, v.metric AS metric,
       v.split AS split, v.value AS value, b.source AS source, t.number AS trial,
       CASE WHEN b.standing THEN 1 ELSE 0 END AS standing
FROM baseline_values v
JOIN baselines b ON b.id = v.baseline_id
JOIN studies st ON st.id = b.study_id
LEFT JOIN trials t ON t.id = v.trial_id;
"""


def upgrade() -> None:
    words = _POSTGRESQL if op.get_bind().dialect.name == "postgresql" else _SQLITE
    for statement in f"{_TABLES}{_VIEWS}".format(**words).split(";"):
        if statement.strip():
            # on one line: SQLite keeps the text, and SQLAlchemy reads constraints from it by line
            op.get_bind().exec_driver_sql(" ".join(statement.split()))


def downgrade() -> None:
    raise NotImplementedError("Schemas only go up. Restore a copy of the database.")
