"""What came of it: who trains, what that has cost, and what was measured."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from storage.schema.tables._columns import (
    MESSAGE,
    TRACEBACK,
    Id,
    count,
    identity,
    metadata,
    reference,
    seconds,
    where,
)
from storage.schema.types import BoundedText, Name, UtcTime

holders = Table(
    "holders",
    metadata,
    identity(),
    Column("host", Name(255), nullable=False),
    Column("boot_id", Name(64), nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("process_start", Name(64), nullable=False),
    Column("started_at", UtcTime, nullable=False),
    UniqueConstraint("host", "boot_id", "pid", "process_start"),
)

environments = Table(
    "environments",
    metadata,
    identity(),
    Column("hash", String(64), nullable=False, unique=True),
    Column("content", Text, nullable=False),
    Column("code_version", Name(100), nullable=False),
    Column("device", Name(100), nullable=False),
    Column("hardware", Name(255), nullable=False),
)

workers = Table(
    "workers",
    metadata,
    identity(),
    reference("study_id", "studies"),
    reference("holder_id", "holders"),
    reference("environment_id", "environments"),
    Column("host", Name(255), nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("price_per_h", Float(53), nullable=True),  # money per device-hour
    Column("started_at", UtcTime, nullable=False),
    Column("files", Text, nullable=False, server_default=""),  # folder of the study's files
)

attempts = Table(
    "attempts",
    metadata,
    identity(),
    reference("study_id", "studies"),
    reference("run_id", "runs", nullable=True),
    reference("worker_id", "workers", nullable=True),
    Column("token", BigInteger, nullable=True),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("failure", BoundedText(MESSAGE), nullable=True),
    Column("failure_key", BoundedText(MESSAGE), nullable=True),  # equal for equal tracebacks
    Column("detail", BoundedText(TRACEBACK), nullable=False, server_default=""),
    Column("started_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime, nullable=True),
    *(
        seconds(f"{phase}_s")
        for phase in ("startup", "train", "validation", "test", "checkpoint", "diagnostics")
    ),
    count("epochs"),
    count("samples"),
    count("grad_evals"),
    count("mismatched_epochs"),  # written anew with other values than an earlier attempt's
    Column("flops", Float(53), nullable=False, server_default="0"),
    Column("peak_memory_bytes", BigInteger, nullable=True),
    Column("energy_j", Float(53), nullable=True),
    Column(
        "failure_text", BoundedText(MESSAGE), nullable=True
    ),  # what the failure says; `failure` is its class
    Column("code_fingerprint", String(64), nullable=True),  # of the user's modules
    count("change"),
    UniqueConstraint("run_id", "token"),
    Index(None, "study_id", "id"),
    # those of a run are found by it
    Index("ix_attempts_change", "study_id", "change", "id", **where("run_id IS NULL")),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    identity(),
    reference("run_id", "runs"),
    reference("attempt_id", "attempts"),
    Column("epoch", Integer, nullable=False),
    Column("path", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    # a batch that is written twice adds no second row; files are forgotten by their path
    UniqueConstraint("path", "run_id", "epoch"),
    Index(None, "run_id", "epoch"),
)

networks = Table(
    "networks",
    metadata,
    identity(),
    reference("study_id", "studies"),
    reference("run_id", "runs"),
    reference("attempt_id", "attempts"),
    Column("epoch", Integer, nullable=False),
    Column("path", Text, nullable=False, unique=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),  # of the file
    Column("created_at", UtcTime, nullable=False),
    Index(None, "study_id"),
    Index(None, "run_id", "epoch"),
)

series = Table(
    "series",
    metadata,
    identity(),
    reference("study_id", "studies"),
    Column("split", String(16), nullable=False),
    Column("task", Name(100), nullable=False),
    Column("metric", Name(100), nullable=False),
    UniqueConstraint("study_id", "split", "task", "metric"),
)

epochs = Table(
    "epochs",
    metadata,
    Column("run_id", Id, ForeignKey("runs.id"), primary_key=True),
    Column("epoch", Integer, primary_key=True),
    reference("attempt_id", "attempts"),
    seconds("train_s"),
    seconds("validation_s"),
    # what both would take alone, as it was known then; null: what they took. `timings` has more
    Column("solo_s", Float(53), nullable=True),
    count("grad_evals"),
    # which time training had begun anew; epochs are counted over all of them
    Column("round", Integer, nullable=False, server_default="1"),
    Index(None, "attempt_id"),  # without it, deleting an attempt would look through all epochs
    sqlite_with_rowid=False,
)

epoch_values = Table(
    "epoch_values",
    metadata,
    # without foreign keys: PostgreSQL would look each of them up for every value, a third of the
    # time of writing one, and the recorder has just looked at the run and made the series
    Column("run_id", Id, primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("series_id", Id, primary_key=True),
    Column("value", Float(53), nullable=False),
    sqlite_with_rowid=False,
)

gradient_pairs = Table(
    "gradient_pairs",
    metadata,
    Column("run_id", Id, primary_key=True),  # without foreign keys, as `epoch_values`
    Column("epoch", Integer, primary_key=True),
    Column("pairing", Integer, primary_key=True),  # place in `storage.records.PAIRINGS`
    Column("measure", Integer, primary_key=True),  # place in `storage.records.MEASURES`
    count("n_pairs"),
    count("n_left_out"),
    *(Column(name, Float(53), nullable=True) for name in ("mean", "sd", "low", "median", "high")),
    count("one_by_one"),  # 1: gradients were taken one after the other
    sqlite_with_rowid=False,
)

exhibits = Table(
    "exhibits",
    metadata,
    Column("run_id", Id, primary_key=True),  # without foreign keys, as `epoch_values`
    Column("name", Name(100), primary_key=True),
    Column("round", Integer, primary_key=True),
    # of one that is kept of each epoch, that one; 0 of one that replaces that of earlier epochs
    Column("kept_epoch", Integer, primary_key=True),
    Column("epoch", Integer, nullable=False),  # at whose end it was shown
    Column("split", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("title", BoundedText(MESSAGE), nullable=False),
    Column("content", Text, nullable=False),  # JSON
)

scores = Table(
    "scores",
    metadata,
    Column("run_id", Id, ForeignKey("runs.id"), primary_key=True),
    Column("baseline_hash", String(64), nullable=False),
    Column("epoch_selected", Integer, nullable=False),
    Column("value_val", Float(53), nullable=False),
    Column("value_test", Float(53), nullable=False),
    Column("objective", Name(255), nullable=False, server_default=""),
    Column("delta_m_val", Float(53), nullable=True),  # at that epoch; null without a baseline
    Column("delta_m_test", Float(53), nullable=True),
)

calibrations = Table(
    "calibrations",
    metadata,
    Column("shape", String(64), primary_key=True),
    Column("hardware", Name(255), primary_key=True),
    Column("pack_size", Integer, nullable=False),
    Column("epoch_s", Float(53), nullable=False),
    Column("run_step_ms", Text, nullable=False),
    Column("measured_at", UtcTime, nullable=False),
)

timings = Table(
    "timings",
    metadata,
    Column("search_id", Id, ForeignKey("searches.id"), primary_key=True),
    Column("attempt_id", Id, ForeignKey("attempts.id"), primary_key=True),
    Column("sweep", Integer, primary_key=True),
    Column("hardware", Name(255), nullable=False),
    Column("epoch_s", Float(53), nullable=False),  # of a run alone, as it was timed
    Column("charged_s", Float(53), nullable=False),  # what such an epoch has as `epochs.solo_s`
    Index(None, "attempt_id"),
    sqlite_with_rowid=False,
)

looks = Table(
    "looks",
    metadata,
    Column("study_id", Id, ForeignKey("studies.id"), primary_key=True),
    Column("key", String(64), primary_key=True),  # hash of the code, the device and the versions
    Column("convolutional", Boolean, nullable=False),
    Column("obstacle", BoundedText(MESSAGE), nullable=False),
    Column("streamed", Boolean, nullable=False),
    Column("unsaved", BoundedText(MESSAGE), nullable=False),
)
