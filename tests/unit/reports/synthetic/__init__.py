"""A made-up study of three tasks, told through the database views: `frames()`, `reader()`.

Every number is consistent: the metrics make delta_m, the epochs make the selected epoch, the
attempts make the cost. Nothing here is a result.
"""

import functools
from copy import deepcopy
from dataclasses import replace
from typing import Any

from reports.frames import StudyFrames, load
from tests.unit.reports.synthetic._functions import function_reader
from tests.unit.reports.synthetic._objectives import rank_by, search_front
from tests.unit.reports.synthetic._optimizers import of_optimizers
from tests.unit.reports.synthetic._papers import CARD, spec
from tests.unit.reports.synthetic._reader import COLUMNS, FakeReader
from tests.unit.reports.synthetic._runs import Runs
from tests.unit.reports.synthetic._searches import Searches
from tests.unit.reports.synthetic._states import leave_unfinished, wait
from tests.unit.reports.synthetic._tabled import tabled
from tests.unit.reports.synthetic._world import (
    BEST_WEIGHTS,
    LRS,
    METRICS,
    OTHERS,
    STUDY,
    TASKS,
    TEMPERATURES,
    quality,
    simplex,
)

__all__ = [
    "BEST_WEIGHTS",
    "CARD",
    "COLUMNS",
    "LRS",
    "METRICS",
    "STUDY",
    "TASKS",
    "TEMPERATURES",
    "FakeReader",
    "frames",
    "function_reader",
    "of_optimizers",
    "quality",
    "rank_by",
    "reader",
    "search_front",
    "simplex",
    "tabled",
]


def frames(**changes: Any) -> StudyFrames:
    """A study as DataFrames; see `_reader` for what can be changed."""
    return _frames(**changes)


@functools.cache
def _frames(**changes: Any) -> StudyFrames:
    return load(_reader(**changes), STUDY)


def reader(**changes: Any) -> FakeReader:
    """A study as rows of the database views, for the caller to change; see `_reader`."""
    made = _reader(**changes)
    rows = {view: [row.copy() for row in of_view] for view, of_view in made.rows.items()}
    return replace(made, rows=rows, spec=deepcopy(made.spec), card=deepcopy(made.card))


@functools.cache
def _reader(
    *,
    seeds: tuple[int, ...] = (1, 2, 3),
    epochs: int = 30,
    confirm: tuple[int, ...] = (),
    unfinished: bool = False,
    empty: bool = False,
    fused: bool = False,
    claimed: bool = False,
) -> FakeReader:
    """A study as rows of the database views; what is made once is given to all who ask alike.

    Args:
        seeds: Seeds of all searches.
        epochs: Epochs of each run.
        confirm: Fresh seeds on which each winner is trained once more.
        unfinished: Leave a third of the Scalarization runs waiting, and one UW-SO run failed.
        empty: Leave every run waiting: the plan is there, nothing has been trained.
        fused: Train in packs, which make a run eight times cheaper in Scalarization's grid, twice
            elsewhere.
        claimed: Search what claims are about, too: four more weightings, and EW's learning rates
            and weight decays on a full grid.
    """
    searches = Searches(Runs(seeds=seeds, epochs=epochs, fused=fused))
    searches.baseline()
    if claimed:
        searches.grid("ew", "ew")
        for weighting in OTHERS:
            searches.single(weighting, weighting)
    else:
        searches.single("ew", "ew")
    searches.single("uw", "uw", diverged_lr=1e-2)
    searches.uw_so()
    searches.scalarization()
    for search in ("ew", "uw", "uw-so", "scalarization") if confirm else ():
        searches.confirm(search, confirm)
    made = FakeReader(spec=spec(seeds, epochs, claimed=claimed), rows=searches.runs.rows)
    made.engine = "fused" if fused else "solo"
    if unfinished:
        leave_unfinished(made)
    if empty:
        wait(made, made.rows["run_results"])
        made.rows["baseline_metrics"] = []
    return made
