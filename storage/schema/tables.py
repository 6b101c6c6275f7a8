"""The tables. Users read the views (`views.py`); these may change between versions."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from storage.schema.types import BoundedText, Name, UtcTime
from storage.states import RunState

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_MESSAGE, _TRACEBACK = 20_000, 200_000  # characters

# SQLite counts up only INTEGER primary keys.
_Id = BigInteger().with_variant(Integer(), "sqlite")


def _id() -> Column[int]:
    return Column("id", _Id, primary_key=True)


def _ref(name: str, target: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, _Id, ForeignKey(f"{target}.id"), nullable=nullable)


def _seconds(name: str) -> Column[float]:
    return Column(name, Float(53), nullable=False, server_default="0")


def _count(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


studies = Table(
    "studies",
    metadata,
    _id(),
    Column("name", String(200), nullable=False, unique=True),
    Column("spec", Text, nullable=False),
    Column("card", Text, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("engine", String(16), nullable=True),  # of all runs; fixed before the first one
    Column("engine_reason", BoundedText(_MESSAGE), nullable=False, server_default=""),
    # random, given once and kept: files are addressed by it, since names and ids come again
    Column("birth", String(32), nullable=False, server_default=""),
    # what run keys call the study: its birth; of studies older than that, the name they had
    Column("key_name", String(200), nullable=False, server_default=""),
    Column("first_name", String(200), nullable=False, server_default=""),  # random draws go by it
    Column(
        "plan", String(64), nullable=False, server_default=""
    ),  # hash of what searches are to do
    Column("stack_rows", Integer, nullable=True),  # of every stack, on GPUs; fixed as the engine
)

searches = Table(
    "searches",
    metadata,
    _id(),
    _ref("study_id", "studies"),
    Column("name", String(200), nullable=False),
    Column("role", String(16), nullable=False),
    Column("weighting", Name(64), nullable=False),
    Column("position", Integer, nullable=False),
    UniqueConstraint("study_id", "name"),
)

stages = Table(
    "stages",
    metadata,
    _ref("search_id", "searches"),
    Column("stage", Integer, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("params_tuned", Text, nullable=False),
    UniqueConstraint("search_id", "stage"),
)

trials = Table(
    "trials",
    metadata,
    _id(),
    _ref("search_id", "searches"),
    Column("number", Integer, nullable=False),
    Column("params", Text, nullable=False),
    Column("written", Text),
    UniqueConstraint("search_id", "number"),
    UniqueConstraint("search_id", "params"),
)

proposals = Table(
    "proposals",
    metadata,
    _id(),
    _ref("search_id", "searches"),
    Column("stage", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    _ref("trial_id", "trials"),
    Column("standing", Boolean, nullable=False),
    UniqueConstraint("search_id", "stage", "number"),
    Index(None, "trial_id"),
)

decisions = Table(
    "decisions",
    metadata,
    _id(),
    _ref("search_id", "searches"),
    Column("stage", Integer, nullable=False),
    _ref("trial_id", "trials"),
    Column("value", Float(53), nullable=False),
    Column("members", String(64), nullable=False),
    Column("baseline_hash", String(64), nullable=False),
    Column("standing", Boolean, nullable=False),
    Column("decided_at", UtcTime, nullable=False),
    Index(None, "search_id", "stage"),
)

baselines = Table(
    "baselines",
    metadata,
    _id(),
    _ref("study_id", "studies"),
    Column("hash", String(64), nullable=False),
    Column("source", String(16), nullable=False),
    Column("standing", Boolean, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("study_id", "hash"),
)

baseline_values = Table(
    "baseline_values",
    metadata,
    _ref("baseline_id", "baselines"),
    Column("task", Name(100), nullable=False),
    Column("metric", Name(100), nullable=False),
    Column("split", String(16), nullable=False),
    Column("value", Float(53), nullable=False),
    _ref("trial_id", "trials", nullable=True),
    UniqueConstraint("baseline_id", "task", "metric", "split"),
)

_QUEUE = ("state", "planned", "queue_rank", "trial_number", "seed", "id")
runs = Table(
    "runs",
    metadata,
    _id(),
    _ref("study_id", "studies"),
    _ref("search_id", "searches"),
    _ref("trial_id", "trials"),
    Column("role", String(16), nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("run_key", String(64), nullable=False, unique=True),
    Column("pack_key", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("queue_rank", Integer, nullable=False),  # lower is trained first
    Column("planned", Boolean, nullable=False),  # whether its trial stands in some stage
    Column("trial_number", Integer, nullable=False),
    Column("epochs_planned", Integer, nullable=False),  # up to its next rung, or all
    Column("epochs_done", Integer, nullable=False, server_default="0"),
    Column("token", BigInteger, nullable=False, server_default="0"),
    Column("holder_id", _Id, ForeignKey("holders.id"), nullable=True),
    Column("lease_until_s", Float(53), nullable=True),
    Column("ended_at", UtcTime, nullable=True),
    Column("reason", BoundedText(_MESSAGE), nullable=False, server_default=""),
    Column("diverged_epoch", Integer, nullable=True),
    CheckConstraint(
        "state IN ({})".format(", ".join(f"'{state}'" for state in RunState)), name="state"
    ),
    # claims walk this index from its front; the order is the order of the work
    Index("ix_runs_claim", "study_id", *_QUEUE),
    # ... and the members of a pack are found without walking past other packs
    Index(
        "ix_runs_pack",
        *("study_id", "state", "pack_key", "planned", *_QUEUE[2:]),
    ),
    Index("ix_runs_search", "search_id", *_QUEUE),
    Index(None, "trial_id"),
    Index("ix_runs_leases", "state", "holder_id", "lease_until_s"),
)

holders = Table(
    "holders",
    metadata,
    _id(),
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
    _id(),
    Column("hash", String(64), nullable=False, unique=True),
    Column("content", Text, nullable=False),
    Column("code_version", Name(100), nullable=False),
    Column("device", Name(100), nullable=False),
    Column("hardware", Name(255), nullable=False),
)

workers = Table(
    "workers",
    metadata,
    _id(),
    _ref("study_id", "studies"),
    _ref("holder_id", "holders"),
    _ref("environment_id", "environments"),
    Column("host", Name(255), nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("price_per_h", Float(53), nullable=True),  # money per device-hour
    Column("started_at", UtcTime, nullable=False),
    Column("files", Text, nullable=False, server_default=""),  # folder of the study's files
)

attempts = Table(
    "attempts",
    metadata,
    _id(),
    _ref("study_id", "studies"),
    _ref("run_id", "runs", nullable=True),
    _ref("worker_id", "workers", nullable=True),
    Column("token", BigInteger, nullable=True),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("failure", BoundedText(_MESSAGE), nullable=True),
    Column("failure_key", BoundedText(_MESSAGE), nullable=True),  # equal for equal tracebacks
    Column("detail", BoundedText(_TRACEBACK), nullable=False, server_default=""),
    Column("started_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime, nullable=True),
    *(
        _seconds(f"{phase}_s")
        for phase in ("startup", "train", "validation", "test", "checkpoint", "diagnostics")
    ),
    _count("epochs"),
    _count("samples"),
    _count("grad_evals"),
    _count("mismatched_epochs"),  # written anew with other values than an earlier attempt's
    Column("flops", Float(53), nullable=False, server_default="0"),
    Column("peak_memory_bytes", BigInteger, nullable=True),
    Column("energy_j", Float(53), nullable=True),
    Column(
        "failure_text", BoundedText(_MESSAGE), nullable=True
    ),  # what the failure says; `failure` is its class
    Column("code_fingerprint", String(64), nullable=True),  # of the user's modules
    UniqueConstraint("run_id", "token"),
    Index(None, "study_id", "id"),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    _id(),
    _ref("run_id", "runs"),
    _ref("attempt_id", "attempts"),
    Column("epoch", Integer, nullable=False),
    Column("path", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    # a batch that is written twice adds no second row; files are forgotten by their path
    UniqueConstraint("path", "run_id", "epoch"),
    Index(None, "run_id", "epoch"),
)

series = Table(
    "series",
    metadata,
    _id(),
    _ref("study_id", "studies"),
    Column("split", String(16), nullable=False),
    Column("task", Name(100), nullable=False),
    Column("metric", Name(100), nullable=False),
    UniqueConstraint("study_id", "split", "task", "metric"),
)

epochs = Table(
    "epochs",
    metadata,
    Column("run_id", _Id, ForeignKey("runs.id"), primary_key=True),
    Column("epoch", Integer, primary_key=True),
    _ref("attempt_id", "attempts"),
    _seconds("train_s"),
    _seconds("validation_s"),
    Column("solo_s", Float(53), nullable=True),  # what both would take alone; null: the same
    _count("grad_evals"),
    Index(None, "attempt_id"),  # without it, deleting an attempt would look through all epochs
    sqlite_with_rowid=False,
)

epoch_values = Table(
    "epoch_values",
    metadata,
    # without foreign keys: PostgreSQL would look each of them up for every value, a third of the
    # time of writing one, and the recorder has just looked at the run and made the series
    Column("run_id", _Id, primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("series_id", _Id, primary_key=True),
    Column("value", Float(53), nullable=False),
    sqlite_with_rowid=False,
)

scores = Table(
    "scores",
    metadata,
    Column("run_id", _Id, ForeignKey("runs.id"), primary_key=True),
    Column("baseline_hash", String(64), nullable=False),
    Column("epoch_selected", Integer, nullable=False),
    Column("value_val", Float(53), nullable=False),
    Column("value_test", Float(53), nullable=False),
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

looks = Table(
    "looks",
    metadata,
    Column("study_id", _Id, ForeignKey("studies.id"), primary_key=True),
    Column("key", String(64), primary_key=True),  # hash of the code, the device and the versions
    Column("convolutional", Boolean, nullable=False),
    Column("obstacle", BoundedText(_MESSAGE), nullable=False),
    Column("streamed", Boolean, nullable=False),
    Column("unsaved", BoundedText(_MESSAGE), nullable=False),
)
