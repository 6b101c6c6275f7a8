"""A table that runs show, such as the suspects among labels, for a file."""

from __future__ import annotations

import pandas as pd

from reports._exhibiting import ExhibitingRun, exhibiting_runs
from reports.errors import NoTable
from reports.frames import StudyFrames


def exhibited_table(frames: StudyFrames, name: str, search: str | None = None) -> pd.DataFrame:
    """The rows of a table as it was shown last, by the best trial's run on its first seed.

    Args:
        name: Of the exhibit, such as ``suspects``.
        search: Of which search; None: of the only one that shows such a table.

    Raises:
        NoTable: No run shows it, or several searches do and none is named.
    """
    found = {one.search: one for one in exhibiting_runs(frames) if name in _tables(one)}
    if not found:
        known = sorted({table for one in exhibiting_runs(frames) for table in _tables(one)})
        raise NoTable(
            f"The best trials show no table {name!r}. Tables that they show: "
            f"{', '.join(known) or 'none'}. Name one of them, or wait until runs have ended."
        )
    if search is None and len(found) > 1:
        raise NoTable(
            f"A file holds the table of one search. Those that show {name!r}: {', '.join(found)}. "
            "Name one with --search."
        )
    if search is not None and search not in found:
        raise NoTable(
            f"Search {search!r} shows no table {name!r}. Those that do: {', '.join(found)}. "
            "Name one of them."
        )
    (run,) = found.values() if search is None else (found[search],)
    (exhibit,) = (one for one in run.exhibits if one.name == name)
    content = exhibit.moments[-1].content
    return pd.DataFrame(content["rows"], columns=content["columns"])


def _tables(run: ExhibitingRun) -> list[str]:
    return [exhibit.name for exhibit in run.exhibits if exhibit.kind == "table"]
