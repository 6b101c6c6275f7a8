"""Why a study has no baseline: looked up where the single-task runs of a task have no winner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage import RunState
from storage.records import StudyRecord
from study.errors import BaselineMissing
from study.planning.baseline import baseline_missing
from study.planning.search_plan import Search

if TYPE_CHECKING:
    from storage import Storage

_MOST_ENDINGS = 1_000


def missing_baseline(
    storage: Storage, study: StudyRecord, search: Search, reason: str
) -> BaselineMissing:
    """The error that a single-task search has stopped without a winner, with what its runs show.

    Args:
        reason: Why it has stopped.
    """
    failures = storage.failure_groups(study.id)
    ended = storage.bad_endings(study.id, limit=_MOST_ENDINGS)
    diverged = [
        ending.reason or "Its runs diverged."
        for ending in ended
        if ending.search == search.name and ending.state is RunState.DIVERGED
    ]
    return baseline_missing(
        search.tasks[0],
        reason,
        [group for group in failures if group.search == search.name],
        diverged=next(iter(diverged), ""),
        study=study.name,
        storage=storage.url,
    )
