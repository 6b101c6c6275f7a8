"""Each weighting under each optimiser: its trials, and what the best of them is worth.

A search may try several optimisers, and a weighting may have a search for each: trials go by their
own optimiser. Shapes: N trials, S seeds, M metrics.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from reports._eligible import Eligible, eligible
from reports._once import once_per_study
from reports._ranking import objective_of
from reports._selected import selected_metrics
from reports._spread import best_rows
from reports._titles import weighting_of
from reports.comparing.differences import with_baseline
from reports.comparing.scores import Scores
from reports.frames import StudyFrames
from reports.inference import Components, Interval, mixed_share
from reports.measures import FloatArray
from storage.objectives.delta_m import NAME as DELTA_M

OPTIMIZER: Final = "optimizer"
_DEFAULT: Final = "adam"  # of specs that were stored before they said so


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setting:
    """A weighting under an optimiser.

    Attributes:
        title: The weighting's.
        trials: All eligible ones, of whichever search.
        points: ``[N]``, search, number and parameters of each.
    """

    weighting: str
    title: str
    optimizer: str
    trials: Eligible
    points: tuple[tuple[str, int, Mapping[str, Any]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """What a setting's best trial is worth on test, by the rules of a search's winner.

    Attributes:
        search: Of the trial that is best on validation over all seeds.
        trial: Its number.
        params: Its parameters.
        n_trials: How many trials the scores are of.
        own: Mean test value of the best trial itself, over all seeds.
        scores: For each seed of the trial that the other seeds choose; of one seed, which chose.
        interval: 95 % of their mean; of a delta_m with the baseline's own seeds. None with one
            seed.
        runs: Ids of the runs behind the scores.
    """

    search: str
    trial: int
    params: Mapping[str, Any]
    n_trials: int
    own: float
    scores: Scores
    interval: Interval | None
    runs: tuple[int, ...]


@once_per_study
def optimizers_tried(frames: StudyFrames) -> Mapping[str, tuple[str, ...]]:
    """Each optimiser of planned trials, in the order in which they were proposed, with searches."""
    runs = frames.runs[(frames.runs["role"] == "search") & frames.runs["planned"]]
    pairs = runs[["search", "params"]].drop_duplicates().itertuples(index=False)
    found: dict[str, dict[str, None]] = {}
    for search, written in pairs:
        found.setdefault(_optimizer(frames, json.loads(written)), {})[search] = None
    return {name: tuple(searches) for name, searches in found.items()}


def settings_of(frames: StudyFrames, searches: Sequence[str]) -> list[Setting]:
    """The settings of some searches, by weighting in their order, then by optimiser."""
    parts: dict[tuple[str, str], list[tuple[str, Eligible]]] = {}
    points = _points(frames)
    for search in searches:
        trials = eligible(frames, search)
        names = np.array(
            [_optimizer(frames, points[search, int(number)]) for number in trials.numbers],
            dtype=object,
        )
        for name in dict.fromkeys(names.tolist()):
            own = trials.part(np.flatnonzero(names == name))
            parts.setdefault((weighting_of(frames, search), name), []).append((search, own))
    titles = frames.card.get("weightings", {})
    order = {name: at for at, name in enumerate(optimizers_tried(frames))}
    weightings = list(dict.fromkeys(weighting for weighting, _ in parts))
    found = [
        Setting(
            weighting=weighting,
            title=titles.get(weighting, weighting),
            optimizer=name,
            trials=_joined([trials for _, trials in of]),
            points=tuple(
                (search, int(number), points[search, int(number)])
                for search, trials in of
                for number in trials.numbers
            ),
        )
        for (weighting, name), of in parts.items()
    ]
    return sorted(found, key=lambda s: (weightings.index(s.weighting), order[s.optimizer]))


def best_of(frames: StudyFrames, setting: Setting) -> Best | None:
    """The best trial of a setting; None if none of them was done on every seed."""
    trials, objective = setting.trials, objective_of(frames)
    at = trials.best(trials.keys.mean(axis=1)) if len(trials.numbers) else None
    if at is None:
        return None
    chosen = [
        (seed, place, row)
        for place, (seed, row) in enumerate(zip(frames.seeds, trials.fold_winners(), strict=True))
        if row is not None
    ]
    layout = Components.of(trials.test[best_rows(trials)])
    scores = Scores(
        by_seed={seed: float(trials.test[row, place]) for seed, place, row in chosen},
        layout=(layout, mixed_share([row for *_, row in chosen])),
    )
    runs = tuple(int(trials.runs[row, place]) for _, place, row in chosen)
    estimate = scores.estimate
    if objective.name == DELTA_M:
        values = _means(frames, runs)
        estimate = with_baseline(frames, estimate, values, objective)
    search, number, params = setting.points[at]
    return Best(
        search=search,
        trial=number,
        params={name: value for name, value in params.items() if name != OPTIMIZER},
        n_trials=len({row for *_, row in chosen}),
        own=float(trials.test[at].mean()),
        scores=scores,
        interval=estimate.interval(),
        runs=runs,
    )


def _means(frames: StudyFrames, runs: Sequence[int]) -> Mapping[tuple[str, str], float]:
    """(task, metric) to the mean test value over runs; without those that one of them lacks."""
    rows = selected_metrics(frames, runs)
    found: dict[tuple[str, str], list[float]] = {}
    for key, value in zip(
        zip(rows["task"], rows["metric"], strict=True), rows["value"], strict=True
    ):
        found.setdefault(key, []).append(value)
    return {key: float(np.mean(of)) for key, of in found.items() if len(of) == len(runs)}


def metrics_by_seed(frames: StudyFrames, settings: Sequence[Setting]) -> FloatArray:
    """Test metrics of all their trials, turned so that lower is better: ``[N, S, M]``.

    Infinite in all of a trial of which a run diverged or was pruned, and where there is no value.
    """
    runs = np.concatenate([setting.trials.runs for setting in settings])
    done = np.concatenate([np.isfinite(one.trials.keys).all(axis=1) for one in settings])
    rows = selected_metrics(frames, runs[done].ravel().tolist())
    wide = rows.pivot_table(index="run", columns=["task", "metric"], values="value")
    keys = [(metric.task, metric.name) for metric in frames.metrics]
    values = wide.reindex(index=runs.ravel(), columns=pd.MultiIndex.from_tuples(keys)).to_numpy()
    found: FloatArray = values.reshape(*runs.shape, len(keys))
    turned = found * np.array([float(metric.sign) for metric in frames.metrics])
    turned[~done] = np.inf
    return np.where(np.isnan(turned), np.inf, turned)


def _points(frames: StudyFrames) -> Mapping[tuple[str, int], Mapping[str, Any]]:
    """Parameters of each trial."""
    runs = frames.runs[(frames.runs["role"] == "search") & frames.runs["planned"]]
    trials = runs.drop_duplicates(["search", "trial"])
    rows = zip(trials["search"], trials["trial"], trials["params"], strict=True)
    return {(search, int(number)): json.loads(written) for search, number, written in rows}


def _optimizer(frames: StudyFrames, params: Mapping[str, Any]) -> str:
    own = frames.spec.get("training", {}).get(OPTIMIZER, _DEFAULT)
    return str(params.get(OPTIMIZER, own))


def _joined(parts: Sequence[Eligible]) -> Eligible:
    """Trials of several searches; equal ones go by the order of the searches."""
    if len(parts) == 1:
        return parts[0]
    order = np.repeat(np.arange(len(parts)), [len(part.numbers) for part in parts])
    ties = [np.concatenate(column) for column in zip(*(part.ties for part in parts), strict=True)]
    return replace(
        parts[0],
        numbers=np.concatenate([part.numbers for part in parts]),
        runs=np.concatenate([part.runs for part in parts]),
        keys=np.concatenate([part.keys for part in parts]),
        test=np.concatenate([part.test for part in parts]),
        ties=(*ties, order.astype(np.float64)),
    )
