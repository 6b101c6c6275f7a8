"""What is to be done: studies, their searches, what these try and decide, and the runs of it."""

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
    String,
    Table,
    Text,
    UniqueConstraint,
)

from storage.schema.tables._columns import MESSAGE, Id, count, identity, metadata, reference, where
from storage.schema.types import BoundedText, Name, UtcTime
from storage.states import RunState

studies = Table(
    "studies",
    metadata,
    identity(),
    Column("name", String(200), nullable=False, unique=True),
    Column("spec", Text, nullable=False),
    Column("card", Text, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    # random, given once and kept: files are addressed by it, since names and ids come again
    Column("birth", String(32), nullable=False, server_default=""),
    # what run keys call the study: its birth; of studies older than that, the name they had
    Column("key_name", String(200), nullable=False, server_default=""),
    Column("first_name", String(200), nullable=False, server_default=""),  # random draws go by it
    Column(
        "plan", String(64), nullable=False, server_default=""
    ),  # hash of what searches are to do
    Column("sealed_at", UtcTime, nullable=True),  # from then on nobody is shown test values
    Column("unsealed_at", UtcTime, nullable=True),  # until then
    Column("paused_at", UtcTime, nullable=True),  # no run of it is claimed before it is resumed
    count("orders"),  # raised by every command that drivers under way follow
    count("stops"),  # ... and by those that end them
    Column("raised", Text, nullable=False, server_default=""),  # budgets that commands have raised
)

# what became of a stored spec: the one that was replaced, or that was refused in its place
revisions = Table(
    "revisions",
    metadata,
    identity(),
    reference("study_id", "studies"),
    Column("made_at", UtcTime, nullable=False),
    Column("accepted", Boolean, nullable=False),
    Column("spec", Text, nullable=False),
    count("runs_ended"),  # when it was made
    Index(None, "study_id", "id"),
)

# raised by whoever changes runs, attempts or decisions of the study, and stamped on what they wrote
change_counters = Table(
    "change_counters",
    metadata,
    Column("study_id", Id, ForeignKey("studies.id"), primary_key=True, autoincrement=False),
    count("value"),
)

searches = Table(
    "searches",
    metadata,
    identity(),
    reference("study_id", "studies"),
    Column("name", String(200), nullable=False),
    Column("role", String(16), nullable=False),
    Column("weighting", Name(64), nullable=False),
    Column("position", Integer, nullable=False),
    Column("engine", String(16), nullable=True),  # of all runs; fixed before the first one
    Column("engine_reason", BoundedText(MESSAGE), nullable=False, server_default=""),
    Column("stack_rows", Integer, nullable=True),  # of every stack, on GPUs; fixed as the engine
    Column("initial", Text, nullable=True),  # network that its runs begin from, fixed likewise
    UniqueConstraint("study_id", "name"),
)

stages = Table(
    "stages",
    metadata,
    reference("search_id", "searches"),
    Column("stage", Integer, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("params_tuned", Text, nullable=False),
    UniqueConstraint("search_id", "stage"),
)

trials = Table(
    "trials",
    metadata,
    identity(),
    reference("search_id", "searches"),
    Column("number", Integer, nullable=False),
    Column("params", Text, nullable=False),
    Column("written", Text),
    UniqueConstraint("search_id", "number"),
    UniqueConstraint("search_id", "params"),
)

proposals = Table(
    "proposals",
    metadata,
    identity(),
    reference("search_id", "searches"),
    Column("stage", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    reference("trial_id", "trials"),
    Column("standing", Boolean, nullable=False),
    UniqueConstraint("search_id", "stage", "number"),
    Index(None, "trial_id"),
)

decisions = Table(
    "decisions",
    metadata,
    identity(),
    reference("search_id", "searches"),
    Column("stage", Integer, nullable=False),
    reference("trial_id", "trials"),
    Column("value", Float(53), nullable=False),
    Column("members", String(64), nullable=False),
    Column("baseline_hash", String(64), nullable=False),
    Column("standing", Boolean, nullable=False),
    Column("decided_at", UtcTime, nullable=False),
    Column("objective", Name(255), nullable=False, server_default=""),
    count("change"),
    Index(None, "search_id", "stage"),
    Index(None, "search_id", "change"),
)

baselines = Table(
    "baselines",
    metadata,
    identity(),
    reference("study_id", "studies"),
    Column("hash", String(64), nullable=False),
    Column("source", String(16), nullable=False),
    Column("standing", Boolean, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("study_id", "hash"),
)

baseline_values = Table(
    "baseline_values",
    metadata,
    reference("baseline_id", "baselines"),
    Column("task", Name(100), nullable=False),
    Column("metric", Name(100), nullable=False),
    Column("split", String(16), nullable=False),
    Column("value", Float(53), nullable=False),
    reference("trial_id", "trials", nullable=True),
    UniqueConstraint("baseline_id", "task", "metric", "split"),
)

_QUEUE = ("state", "planned", "queue_rank", "trial_number", "seed", "id")
runs = Table(
    "runs",
    metadata,
    identity(),
    reference("study_id", "studies"),
    reference("search_id", "searches"),
    reference("trial_id", "trials"),
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
    Column("holder_id", Id, ForeignKey("holders.id"), nullable=True),
    Column("lease_until_s", Float(53), nullable=True),
    Column("ended_at", UtcTime, nullable=True),
    Column("reason", BoundedText(MESSAGE), nullable=False, server_default=""),
    Column("diverged_epoch", Integer, nullable=True),
    count("change"),
    count("epochs_change"),  # the last one that wrote epochs
    CheckConstraint(
        "state IN ({})".format(", ".join(f"'{state}'" for state in RunState)), name="state"
    ),
    # claims walk this index from its front; the order is the order of the work
    Index("ix_runs_claim", "study_id", *_QUEUE),
    # ... and the members of a pack are found without walking past other packs
    Index(
        "ix_runs_pack",
        *("study_id", "state", "pack_key", "planned", *_QUEUE[2:]),
        **where("state = 'waiting'"),
    ),
    Index("ix_runs_search", "search_id", *_QUEUE),
    Index(None, "trial_id"),
    # leased ones are few, and change all the time: they are looked at one by one
    Index("ix_runs_change", "study_id", "change", "id", **where("state <> 'leased'")),
)
