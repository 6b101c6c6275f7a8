"""The trials of a search with their parameters and seed means."""

from typing import Final

import numpy as np
import pandas as pd

from reports._eligible import eligible
from reports._once import once_per_study
from reports._params import with_params
from reports._ranking import objective_of
from reports.errors import UnknownSearch
from reports.frames import StudyFrames

_SEVERITY: Final = {"done": 0, "pruned": 1, "diverged": 2}


@once_per_study
def trials(frames: StudyFrames, search: str) -> pd.DataFrame:
    """One row an eligible trial (all its seeds final), by number.

    Columns: `trial`, the parameters, `val` and `test`: the seed means of the objective, the worst
    infinity if a seed diverged or was pruned; `key`: by which lower is better; `sd`: standard
    deviation over seeds on validation; and `ended`: how a trial ended that has no value.
    """
    found = eligible(frames, search)
    rows = _with_endings(frames.runs[frames.runs["run"].isin(found.runs.ravel())])
    rows = rows.sort_values(["trial", "severity", "epochs"], ascending=[True, False, False])
    first = rows.drop_duplicates("trial")
    named = with_params(frames, first, taken=("val", "test", "key", "sd")).reset_index(drop=True)
    key, sign = found.keys.mean(axis=1), objective_of(frames).sign
    test = np.where(np.isfinite(key), found.test.mean(axis=1), sign * np.inf)
    keys = np.where(np.isfinite(found.keys), found.keys, np.nan)
    sd = keys.std(axis=1, ddof=1) if keys.shape[1] > 1 else np.full(len(keys), np.nan)
    return named.assign(val=sign * key, test=test, key=key, sd=sd)


@once_per_study
def runs_of(frames: StudyFrames, search: str) -> pd.DataFrame:
    """One row a run of the eligible trials, with columns as in `trials`, each run by itself."""
    found = eligible(frames, search)
    rows = _with_endings(frames.runs[frames.runs["run"].isin(found.runs.ravel())])
    lost = rows["state"] != "done"
    worst = objective_of(frames).sign * np.inf
    scores = {name: rows[f"value_{name}"].where(~lost, worst) for name in ("val", "test")}
    return with_params(frames, rows, taken=scores).assign(**scores)


def _with_endings(runs: pd.DataFrame) -> pd.DataFrame:
    """Final runs with `ended`, empty for those that are done; and `severity`: a trial ended as its
    run of the highest did.
    """
    severity = runs["state"].map(_SEVERITY)
    pruned = "pruned at epoch " + runs["epochs"].astype(str)
    said = pruned.where(severity == _SEVERITY["pruned"], "diverged").mask(severity == 0, "")
    return runs.assign(ended=said, severity=severity)


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
