"""What the figures of a study show, as tables: for readers who want the numbers."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd

from reports._importance import Importance
from reports.across.comparison import StudiesComparison
from reports.across.pairs import PairTable
from reports.conflicts import over_training
from reports.drawing._exhibits import Moment
from reports.figures._learning_curves import curves_drawn
from reports.figures._trajectories import winners_shares
from reports.figures._trials import runs_of, trials
from reports.frames import StudyFrames
from reports.spending.axes import CostAxis, offered
from reports.spending.curves import BudgetCurve, budget_curves
from reports.trials import SearchTrials, ranked

_SPLITS: Final = {"val": "validation", "test": "test"}


def curve_points(frames: StudyFrames) -> pd.DataFrame:
    """Budget curves in every unit of cost that was recorded; one row a method, unit and trial."""
    found = [
        _of_curve(axis, curve) for axis in offered(frames) for curve in budget_curves(frames, axis)
    ]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def _of_curve(axis: CostAxis, curve: BudgetCurve) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "method": curve.title,
            "cost_unit": axis,
            "cost": curve.cost,
            "stage": curve.stage + 1,
            "test_value": curve.value,
            "low": curve.low,
            "high": curve.high,
        }
    )


def trial_points(frames: StudyFrames, searches: Iterable[str]) -> pd.DataFrame:
    """Trials with their parameters and seed means; `ended` says how one without a value did."""
    return _named(frames, [(search, trials(frames, search)) for search in searches], "trial")


def run_points(frames: StudyFrames, search: str) -> pd.DataFrame:
    """The same of the runs behind them, one a seed."""
    return _named(frames, [(search, runs_of(frames, search))], "trial", "seed", "run")


def share_points(frames: StudyFrames) -> pd.DataFrame:
    """Shares of the loss weights of each method's winner, one row an epoch."""
    found = [
        shares.reset_index().assign(search=search)
        for search, shares in winners_shares(frames).items()
    ]
    return pd.concat(found, ignore_index=True).set_index("search").reset_index()


def listed_points(search: SearchTrials, *, most: int | None = None) -> pd.DataFrame:
    """Trials of a training function's search with their parameters, best first.

    Args:
        most: At most so many.
    """
    rows = ranked(search)[:most]
    told = pd.DataFrame(
        [(row.number, row.value, row.state, row.epochs, row.device_s) for row in rows],
        columns=["trial", search.metric, "state", "epochs", "device_s"],
    )
    params = pd.DataFrame([json.loads(row.params) for row in rows])
    return told.join(params.rename(columns={name: f"param_{name}" for name in told}))


def importance_points(found: Iterable[Importance]) -> pd.DataFrame:
    """Shares of parameters from 0 to 1, one row a way to ask and parameter."""
    return pd.DataFrame(
        [
            (answer.method, one.param, one.value)
            + ((one.interval.low, one.interval.high) if one.interval else (np.nan, np.nan))
            for answer in found
            for one in answer.shares
        ],
        columns=["method", "param", "share", "low", "high"],
    )


def step_points(frames: StudyFrames, search: SearchTrials) -> pd.DataFrame:
    """The learning curves that are drawn, one row a trial and step."""
    found = [
        pd.DataFrame({"trial": number, "step": steps, search.metric: values})
        for number, (steps, values) in curves_drawn(frames, search).items()
    ]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def gap_points(comparison: StudiesComparison) -> pd.DataFrame:
    """How far each ranked method is from the best one; one row a method and study."""
    problems = {study.label: study.problem for study in comparison.studies}
    standings = comparison.ranking.standings if comparison.ranking else ()
    return pd.DataFrame(
        [
            (standing.method.title, label, problems[label], gap)
            for standing in standings
            for label, gap in standing.gaps.items()
        ],
        columns=["method", "study", "problem", "worse_than_best"],
    )


def pair_points(tables: Iterable[PairTable]) -> pd.DataFrame:
    """Pairs of tasks, each once; one row a method, amount of labels and pair."""
    return pd.DataFrame(
        [
            (table.method, table.labels, *pair, value)
            for table in tables
            for pair, value in table.pairs
        ],
        columns=["method", "labels", "task", "beside", "test_value"],
    )


def _named(
    frames: StudyFrames, found: Iterable[tuple[str, pd.DataFrame]], *keys: str
) -> pd.DataFrame:
    """Keys, parameters, values by split, and how what has no value has ended."""
    own = set(frames.runs.columns) | {"val", "test", "key", "sd", "ended", "severity"}
    tables = []
    for search, rows in found:
        params = [name for name in rows.columns if name not in own]
        kept = rows[[*keys, *params, *_SPLITS, "ended"]].rename(columns=_SPLITS)
        values = kept.replace([np.inf, -np.inf], np.nan)
        tables.append(values.assign(search=search).set_index("search").reset_index())
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def conflict_points(rows: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Similarities of gradients over training, one row a title, pairing, measure and epoch."""
    found = [over_training(of).assign(method=title) for title, of in rows.items()]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def bin_points(moments: Sequence[Moment]) -> pd.DataFrame:
    """Bins of histograms, one row an epoch, group and bin."""
    return pd.DataFrame(
        [
            (one.round, one.epoch, group, low, high, n)
            for one in moments
            for group, counts in one.content["counts"].items()
            for (low, high), n in zip(pairwise(one.content["edges"]), counts, strict=True)
        ],
        columns=["round", "epoch", "group", "from", "to", "count"],
    )


def line_points(moments: Sequence[Moment]) -> pd.DataFrame:
    """Points of lines, and ends of their bands, one row a round, line and x."""
    rows = []
    for one in moments:
        for line, points in one.content["points"].items():
            found = {x: [y, math.nan, math.nan] for x, y in points}
            for x, *ends in one.content.get("intervals", {}).get(line, ()):
                found.setdefault(x, [math.nan] * 3)[1:] = ends
            rows += [(one.round, one.epoch, line, x, *values) for x, values in found.items()]
    return pd.DataFrame(rows, columns=["round", "epoch", "line", "x", "y", "low", "high"])
