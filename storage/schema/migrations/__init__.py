"""Alembic's door: brings an older database to the schema of this code."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

from storage.schema.dialects import lock_schema


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Migrate in one transaction; a failure leaves the database as it was."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with engine.begin() as connection:
        lock_schema(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
