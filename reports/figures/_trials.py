"""The trials of a search with their parameters and seed means."""

import numpy as np
import pandas as pd

from reports._eligible import eligible
from reports.errors import UnknownSearch
from reports.frames import StudyFrames, with_params


def trials(frames: StudyFrames, search: str) -> pd.DataFrame:
    """One row an eligible trial (all its seeds final), by number.

    Columns: `trial`, the parameters, and `val` and `test`: the seed means of delta_m in percent,
    +inf if a seed diverged.
    """
    found = eligible(frames, search)
    rows = frames.runs.drop_duplicates(["search", "trial"])
    rows = rows[(rows["search"] == search) & rows["trial"].isin(found.numbers)]
    named = with_params(frames, rows.sort_values("trial")).reset_index(drop=True)
    value = found.validation.mean(axis=1)
    test = np.where(np.isfinite(value), found.test.mean(axis=1), np.inf)
    return named.assign(val=value, test=test)


def runs_of(frames: StudyFrames, search: str) -> pd.DataFrame:
    """One row a run of the eligible trials: its parameters, `val` and `test`; +inf if diverged."""
    found = eligible(frames, search)
    rows = frames.runs[frames.runs["run"].isin(found.runs.ravel())]
    lost = rows["state"] != "done"
    scores = {name: rows[f"delta_m_{name}"].where(~lost, np.inf) for name in ("val", "test")}
    return with_params(frames, rows).assign(**scores)


def known_search(frames: StudyFrames, search: str) -> None:
    """Check that the study has a search of this name.

    Raises:
        UnknownSearch: It has not.
    """
    if search not in frames.searches:
        raise UnknownSearch(
            f"A figure needs the name of one of the study's searches. Got `{search}`. "
            f"Searches: {', '.join(frames.searches) or 'none'}."
        )


def task_titles(frames: StudyFrames) -> list[str]:
    """How reports call the tasks, in the order of the card."""
    return [str(task.get("title", task["name"])) for task in frames.card.get("tasks", ())]
