"""What comes from outside and goes there: commands to studies, and news of them.

No foreign keys: who deleted a study, and what was sent of it, is known when it is gone.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, Text, UniqueConstraint

from storage.schema.tables._columns import MESSAGE, count, identity, metadata
from storage.schema.types import BoundedText, Name, UtcTime

audit = Table(
    "audit",
    metadata,
    identity(),
    Column("made_at", UtcTime, nullable=False),
    Column("who", Name(255), nullable=False),  # user@host
    Column("origin", Name(255), nullable=False),  # the command line, or the dashboard's client
    Column("verb", String(32), nullable=False),
    Column("study_name", String(200), nullable=False),  # as it was called then
    Column("study_birth", String(32), nullable=False),
    Column("before", Text, nullable=False),  # canonical JSON of what the verb changes
    Column("after", Text, nullable=False),
    Index(None, "study_birth", "id"),
)

notifications = Table(
    "notifications",
    metadata,
    identity(),
    Column("study_birth", String(32), nullable=False),
    Column("event_key", String(200), nullable=False),  # tells events of a study apart
    Column("message", Text, nullable=False),  # as it is sent, and sent again
    Column("created_at", UtcTime, nullable=False),
    Column("attempted_at", UtcTime, nullable=True),  # claimed by whoever sends it
    Column("delivered_at", UtcTime, nullable=True),
    count("n_attempts"),  # how often it was claimed; a claim is compare-and-swap on it
    Column("last_error", BoundedText(MESSAGE), nullable=False, server_default=""),
    UniqueConstraint("study_birth", "event_key"),
)
