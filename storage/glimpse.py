"""A first glimpse of a study, while its command is still being read: SQLAlchemy is not loaded."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from storage.states import FINAL, RunState

_OPEN = ", ".join(f"'{state}'" for state in RunState if state not in FINAL)
_LAST_ENDED = f"""
SELECT ended_at FROM attempts WHERE id = (
    SELECT MAX(attempts.id) FROM attempts JOIN studies ON studies.id = attempts.study_id
    WHERE studies.name = ? AND NOT EXISTS (
        SELECT 1 FROM runs WHERE runs.study_id = studies.id AND runs.state IN ({_OPEN})
    )
)
"""


def ended_at(database: Path, study: str) -> datetime | None:
    """When the last attempt of a study ended, if none of its runs is open.

    Args:
        database: File of a SQLite database, which need not be there, sound or of today's schema.

    Returns:
        None if runs are open, there are none, or there is no telling.
    """
    if not database.exists():
        return None
    try:
        # without a writer's log all is in the file; to look for one would leave an empty log there
        how = "mode=ro" if _has_log(database) else "immutable=1"
        where = f"{database.absolute().as_uri()}?{how}"
        with closing(sqlite3.connect(where, uri=True, timeout=0)) as connection:
            found = connection.execute(_LAST_ENDED, [study]).fetchone()
        return datetime.fromisoformat(found[0]) if found and found[0] else None
    except (OSError, ValueError, sqlite3.Error):
        return None  # who opens it to work with it says what the matter is


def _has_log(database: Path) -> bool:
    log = Path(f"{database}-wal")
    return log.exists() and log.stat().st_size > 0
