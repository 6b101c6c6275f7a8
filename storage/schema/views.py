"""The SQL views: the public read API, for people with psql, pandas or a BI tool.

Every column is described in ``docs/reference/schema.md``. Written in the SQL that SQLite and
PostgreSQL share.
"""

from __future__ import annotations

from collections.abc import Sequence

from storage.records import MEASURES, PAIRINGS

# A method pays a start-up for each stretch that it asks for: that of the attempt that trained a
# run's first epoch, and of each that went on where another had come to its end, at a rung. The
# first epoch of a child of a population is the one behind its parent's. What goes on after a loss
# or an interruption does not start up at the method's request.
_STARTUPS_S = """\
COALESCE((SELECT a.startup_s FROM epochs e
                           JOIN attempts a ON a.id = e.attempt_id
                           WHERE e.run_id = r.id
                                 AND e.epoch = (SELECT MIN(f.epoch) FROM epochs f
                                                WHERE f.run_id = r.id)), 0.0)
               + COALESCE((SELECT SUM(a.startup_s) FROM epochs e
                           JOIN attempts a ON a.id = e.attempt_id
                           JOIN epochs b ON b.run_id = e.run_id AND b.epoch = e.epoch - 1
                           JOIN attempts p ON p.id = b.attempt_id
                           WHERE e.run_id = r.id AND r.token > 1 AND p.id <> a.id
                                 AND p.state = 'finished'), 0.0)"""

SHOWS_TEST = "(st.sealed_at IS NULL OR st.unsealed_at IS NOT NULL)"
"""Whether test values of the study `st` are shown: not of a sealed one before it is unsealed.

It holds here, and wherever else values of a split are read (`storage.reader`, `storage.changes`),
so that whatever reads keeps to it.
"""

# What an epoch alone takes is timed again and again: all epochs of a search are charged with the
# mean; they carry what they were charged with when they were trained. A search's share is its mean
# within sweeps, so that a sweep at a busy moment weighs no more than others; the level is that of
# all its sweeps.
_TIMED = """\
(SELECT search_id,
                          SUM(time / level) / COUNT(*) * (SUM(level) / COUNT(*)) AS factor
                   FROM (SELECT search_id, epoch_s / charged_s AS time,
                                SUM(epoch_s) OVER (PARTITION BY attempt_id, sweep)
                                / SUM(charged_s) OVER (PARTITION BY attempt_id, sweep) AS level
                         FROM timings) of_sweep
                   GROUP BY search_id)"""


def _word(column: str, words: Sequence[str]) -> str:
    """The word that a column of places in `words` stands for."""
    cases = " ".join(f"WHEN {place} THEN '{word}'" for place, word in enumerate(words))
    return f"CASE {column} {cases} END"


VIEWS: dict[str, str] = {
    "run_results": f"""
        SELECT st.name AS study, se.name AS search, se.weighting AS weighting, r.role AS role,
               t.number AS trial, r.id AS run, COALESCE(t.written, t.params) AS params,
               r.seed AS seed,
               r.state AS state,
               CASE WHEN r.planned THEN 1 ELSE 0 END AS planned,
               r.epochs_done AS epochs,
               CASE WHEN r.state = 'done' THEN sc.epoch_selected END AS epoch_selected,
               CASE WHEN r.state = 'done' THEN sc.delta_m_val END AS delta_m_val,
               CASE WHEN r.state = 'done' AND {SHOWS_TEST} THEN sc.delta_m_test END AS delta_m_test,
               CASE WHEN r.state = 'done' AND sc.delta_m_val IS NOT NULL
                    THEN sc.baseline_hash END AS baseline_hash,
               r.diverged_epoch AS diverged_epoch,
               COALESCE((SELECT SUM(a.startup_s + a.train_s + a.validation_s + a.test_s
                                    + a.checkpoint_s + a.diagnostics_s)
                         FROM attempts a WHERE a.run_id = r.id), 0.0) AS device_s,
               COALESCE((SELECT SUM(e.train_s + e.validation_s)
                         FROM epochs e WHERE e.run_id = r.id), 0.0)
               + {_STARTUPS_S} AS method_cost_s,
               COALESCE((SELECT SUM(COALESCE(e.solo_s * COALESCE(tm.factor, 1.0),
                                             e.train_s + e.validation_s))
                         FROM epochs e WHERE e.run_id = r.id), 0.0)
               + {_STARTUPS_S} AS solo_cost_s,
               CAST(COALESCE((SELECT SUM(e.grad_evals)
                              FROM epochs e WHERE e.run_id = r.id), 0) AS BIGINT) AS grad_evals,
               r.reason AS reason,
               CASE WHEN r.state = 'done' THEN sc.objective END AS objective,
               CASE WHEN r.state = 'done' THEN sc.value_val END AS value_val,
               CASE WHEN r.state = 'done' AND {SHOWS_TEST} THEN sc.value_test END AS value_test
        FROM runs r
        JOIN trials t ON t.id = r.trial_id
        JOIN searches se ON se.id = r.search_id
        JOIN studies st ON st.id = se.study_id
        LEFT JOIN scores sc ON sc.run_id = r.id
        LEFT JOIN {_TIMED} tm ON tm.search_id = r.search_id
    """,
    "epoch_metrics": f"""
        SELECT st.name AS study, v.run_id AS run, v.epoch AS epoch, s.split AS split,
               s.task AS task, s.metric AS metric, v.value AS value
        FROM epoch_values v
        JOIN series s ON s.id = v.series_id
        JOIN studies st ON st.id = s.study_id
        WHERE s.split <> 'test' OR {SHOWS_TEST}
    """,
    "attempt_costs": """
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
    """,
    "stage_trials": """
        SELECT st.name AS study, se.name AS search, p.stage AS stage, g.kind AS kind,
               g.params_tuned AS params_tuned, p.round AS round, p.number AS position,
               t.number AS trial
        FROM proposals p
        JOIN trials t ON t.id = p.trial_id
        JOIN searches se ON se.id = p.search_id
        JOIN stages g ON g.search_id = p.search_id AND g.stage = p.stage
        JOIN studies st ON st.id = se.study_id
        WHERE p.standing
    """,
    "stage_decisions": """
        SELECT st.name AS study, se.name AS search, d.stage AS stage, t.number AS trial,
               d.value AS value, d.baseline_hash AS baseline_hash,
               CASE WHEN d.standing THEN 1 ELSE 0 END AS standing, d.decided_at AS decided,
               d.objective AS objective
        FROM decisions d
        JOIN trials t ON t.id = d.trial_id
        JOIN searches se ON se.id = d.search_id
        JOIN studies st ON st.id = se.study_id
    """,
    "baseline_metrics": f"""
        SELECT st.name AS study, b.hash AS baseline_hash, v.task AS task, v.metric AS metric,
               v.split AS split, v.value AS value, b.source AS source, t.number AS trial,
               CASE WHEN b.standing THEN 1 ELSE 0 END AS standing
        FROM baseline_values v
        JOIN baselines b ON b.id = v.baseline_id
        JOIN studies st ON st.id = b.study_id
        LEFT JOIN trials t ON t.id = v.trial_id
        WHERE v.split <> 'test' OR {SHOWS_TEST}
    """,
    "gradient_conflicts": f"""
        SELECT st.name AS study, g.run_id AS run, g.epoch AS epoch,
               {_word("g.pairing", PAIRINGS)} AS pairing,
               {_word("g.measure", MEASURES)} AS measure,
               g.n_pairs AS n_pairs, g.n_left_out AS n_left_out, g.mean AS mean, g.sd AS sd,
               g.low AS percentile_2_5, g.median AS median, g.high AS percentile_97_5,
               g.one_by_one AS one_by_one
        FROM gradient_pairs g
        JOIN runs r ON r.id = g.run_id
        JOIN studies st ON st.id = r.study_id
    """,
    "run_exhibits": f"""
        SELECT st.name AS study, x.run_id AS run, x.round AS round, x.epoch AS epoch,
               x.name AS name, x.kind AS kind, x.split AS split, x.title AS title,
               x.content AS content
        FROM exhibits x
        JOIN runs r ON r.id = x.run_id
        JOIN studies st ON st.id = r.study_id
        WHERE x.split <> 'test' OR {SHOWS_TEST}
    """,
    "training_rounds": """
        SELECT st.name AS study, e.run_id AS run, e.round AS round, MIN(e.epoch) AS first_epoch,
               MAX(e.epoch) AS last_epoch, SUM(e.train_s) AS train_s,
               SUM(e.validation_s) AS validation_s,
               CAST(SUM(e.grad_evals) AS BIGINT) AS grad_evals
        FROM epochs e
        JOIN runs r ON r.id = e.run_id
        JOIN studies st ON st.id = r.study_id
        GROUP BY st.name, e.run_id, e.round
    """,
    "epoch_timings": """
        SELECT st.name AS study, se.name AS search, se.weighting AS weighting, se.role AS role,
               tm.attempt_id AS attempt, tm.sweep AS sweep, tm.hardware AS hardware,
               a.ended_at AS measured, tm.epoch_s AS epoch_s
        FROM timings tm
        JOIN searches se ON se.id = tm.search_id
        JOIN studies st ON st.id = se.study_id
        JOIN attempts a ON a.id = tm.attempt_id
    """,
}

ORDER: dict[str, str] = {
    "run_results": "run",
    "epoch_metrics": "run, epoch, split, task, metric",
    "attempt_costs": "attempt",
    "stage_trials": "search, stage, position",
    "stage_decisions": "search, stage, decided",
    "baseline_metrics": "baseline_hash, task, metric, split",
    "gradient_conflicts": "run, epoch, pairing DESC, measure",
    "run_exhibits": "run, name, round, epoch",
    "training_rounds": "run, round",
    "epoch_timings": "attempt, sweep, search",
}
