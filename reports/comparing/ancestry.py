"""The trials whose networks a trial goes on from: children of a population have such."""

from __future__ import annotations

import json
from collections.abc import Sequence

from reports.frames import StudyFrames
from search_spaces.lineage import Origin


def ancestry(frames: StudyFrames, search: str, trial: int) -> Sequence[Origin]:
    """Where a trial of a search comes from, its oldest ancestor first; empty if it began itself."""
    mine = frames.runs_of(search).drop_duplicates("trial")
    written = mine.set_index("trial")["params"]
    found: list[Origin] = []
    while trial in written.index:
        origin = Origin.of(json.loads(written[trial]))
        # a child is younger than its parent: what is not cannot have been written by a rule
        if origin is None or origin.trial >= trial:
            break
        found.insert(0, origin)
        trial = origin.trial
    return found


def schedule_said(frames: StudyFrames, search: str, trial: int) -> str:
    """A remark on the best trial of a population; empty if it began by itself."""
    ancestors = ancestry(frames, search, trial)
    if not ancestors:
        return ""
    stretches = ", ".join(f"trial {of.trial} up to epoch {of.epoch}" for of in ancestors)
    return (
        f"its best trial, {trial}, is the end of a schedule: its network was trained as "
        f"{stretches}, and as itself from there; `trials` has their parameters"
    )
