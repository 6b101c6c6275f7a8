"""The front of several objectives: its trials, its volume, and what it cost to get there (M12).

Shapes: N trials, F of them on the front, S seeds, M objectives, n points of a curve.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from reports._eligible import Eligible, eligible
from reports._once import once_per_study
from reports._ranking import objectives_of
from reports._selected import selected_metrics
from reports._titles import title_of
from reports.errors import NoTable
from reports.frames import StudyFrames
from reports.inference.hulls import BoolArray
from reports.inference.volumes import hypervolume
from reports.measures import FloatArray, IntArray
from reports.spending.axes import CostAxis, require, trial_costs
from reports.spending.stages import StageTrials, costs, stages_of
from storage.objectives import Objective, on_front

# Random orders whose mean is the expectation: of more objectives a volume takes longer.
_ORDERS: Final = {2: 100, 3: 10, 4: 3, 5: 1}
_MOST_STEPS: Final = 100_000  # trials of all orders together
_BEYOND: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodFront:
    """What one search has found.

    Attributes:
        trials: ``[F]``, numbers of the trials on its own front, by the first objective.
        params: ``[F]``, their points as canonical JSON.
        validation: ``[F, M]``, seed means in the objectives' own units.
        test: ``[F, M]``, the same on test; NaN where there is none, or it is sealed.
        shared: ``[F]``, whether it is on the front of all searches together.
        n_trials: Eligible trials, on the front or not.
        volume: Share of the box that its front beats on validation.
        volume_test: The same by the test values of the same trials; NaN without them.
    """

    search: str
    title: str
    trials: IntArray
    params: tuple[str, ...]
    validation: FloatArray
    test: FloatArray
    shared: BoolArray
    n_trials: int
    volume: float
    volume_test: float

    def to_plain(self) -> dict[str, Any]:
        """JSON-ready values; None where there is no number."""
        return {
            "search": self.search,
            "title": self.title,
            "n_trials": self.n_trials,
            "volume_validation": _finite(self.volume),
            "volume_test": _finite(self.volume_test),
            "points": [
                {
                    "trial": int(self.trials[at]),
                    "params": json.loads(self.params[at]),
                    "validation": [_finite(value) for value in self.validation[at]],
                    "test": [_finite(value) for value in self.test[at]],
                    "shared": bool(self.shared[at]),
                }
                for at in range(len(self.trials))
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """The fronts of all searches of a study, measured in one box.

    Attributes:
        reference: ``[M]``, of each objective the worst validation value of any eligible trial of
            the study, and a tenth of the range of these values beyond it.
        best: ``[M]``, the opposite corner of the box, the best ones.
    """

    objectives: tuple[Objective, ...]
    reference: FloatArray
    best: FloatArray
    methods: tuple[MethodFront, ...]

    def to_plain(self) -> dict[str, Any]:
        """JSON-ready values; None where there is no number."""
        corners = zip(self.objectives, self.reference.tolist(), self.best.tolist(), strict=True)
        return {
            "objectives": [
                {
                    "name": one.name,
                    "direction": one.direction,
                    "unit": one.unit,
                    "reference": reference,
                    "best": best,
                }
                for one, reference, best in corners
            ],
            "methods": [method.to_plain() for method in self.methods],
        }


def front_table(frames: StudyFrames) -> pd.DataFrame:
    """One row a trial on the front of its search, those on the front of all together marked.

    Columns: search, trial, params, shared, and `validation_<objective>` and `test_<objective>` in
    the objectives' own units.

    Raises:
        NoTable: The study has one objective, or no trial has a value on all seeds yet.
    """
    found = front_of(frames)
    if found is None:
        several = len(objectives_of(frames)) > 1
        why = "No trial has all its seeds yet." if several else "Got a study with one objective."
        raise NoTable(f"A front is that of several objectives, of trials that have ended. {why}")
    parts = []
    for method in found.methods:
        values = {
            f"{split}_{one.name}": table[:, at]
            for split, table in (("validation", method.validation), ("test", method.test))
            for at, one in enumerate(found.objectives)
        }
        about = {"search": method.search, "trial": method.trials, "params": method.params}
        parts.append(pd.DataFrame({**about, "shared": method.shared, **values}))
    return pd.concat(parts, ignore_index=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeCurve:
    """Hypervolume on validation against cost.

    Attributes:
        cost: ``[n]``, of all seeds.
        n_trials: ``[n]``, after how many trials.
        volume: ``[n]``, share of the box; the mean over orders where any could have been run.
    """

    search: str
    title: str
    axis: CostAxis
    cost: FloatArray
    n_trials: IntArray
    volume: FloatArray


@dataclass(frozen=True, slots=True)
class _Values:
    """Trials with values on all seeds: positions among the eligible ones ``[N]``, and values."""

    trials: Eligible
    rows: IntArray
    validation: FloatArray
    test: FloatArray


@once_per_study
def front_of(frames: StudyFrames) -> Front | None:
    """The front of a study with several objectives; None if it has one, or no trial a value."""
    objectives = objectives_of(frames)
    if len(objectives) < 2:
        return None
    known = {search: _values(frames, search) for search in _searched(frames)}
    everything = np.concatenate([_turned(objectives, of.validation) for of in known.values()])
    if not len(everything):
        return None
    signs = np.array([one.sign for one in objectives])
    worst, best = everything.max(axis=0), everything.min(axis=0)
    reference = worst + _BEYOND * (worst - best)
    shared = np.split(
        _on_front(everything), np.cumsum([len(of.rows) for of in known.values()])[:-1]
    )
    methods = [
        _method(frames, search, of, on_all, (reference, best))
        for (search, of), on_all in zip(known.items(), shared, strict=True)
        if len(of.rows)
    ]
    return Front(
        objectives=tuple(objectives),
        reference=signs * reference,
        best=signs * best,
        methods=tuple(sorted(methods, key=lambda method: -method.volume)),
    )


def _searched(frames: StudyFrames) -> Sequence[str]:
    return frames.searches_alone if frames.of_function else frames.searches


def _method(
    frames: StudyFrames,
    search: str,
    of: _Values,
    shared: BoolArray,
    box: tuple[FloatArray, FloatArray],
) -> MethodFront:
    objectives = objectives_of(frames)
    turned = _turned(objectives, of.validation)
    at = np.flatnonzero(_on_front(turned))
    at = at[np.lexsort(turned[at].T[::-1])]
    test = of.test[at]
    params = dict(zip(frames.runs["run"].tolist(), frames.runs["params"].tolist(), strict=True))
    first_runs = of.trials.runs[of.rows[at], 0].tolist()
    return MethodFront(
        search=search,
        title=search if frames.of_function else title_of(frames, search),
        trials=of.trials.numbers[of.rows[at]],
        params=tuple(params[run] for run in first_runs),
        validation=of.validation[at],
        test=test,
        shared=shared[at],
        n_trials=len(of.trials.numbers),
        volume=_share(turned[at], box),
        volume_test=np.nan if np.isnan(test).any() else _share(_turned(objectives, test), box),
    )


def volume_curves(frames: StudyFrames, axis: CostAxis = "solo_s") -> tuple[VolumeCurve, ...]:
    """What share of the box each search has beaten after spending so much; none without a front.

    Raises:
        UnknownAxis: Cost is not recorded in that unit.
    """
    found, known = front_of(frames), require(frames, axis)
    if found is None:
        return ()
    signs = np.array([one.sign for one in found.objectives])
    box = signs * found.reference, signs * found.best
    return tuple(_curve(frames, method, known, box) for method in found.methods)


def _curve(
    frames: StudyFrames, method: MethodFront, axis: CostAxis, box: tuple[FloatArray, FloatArray]
) -> VolumeCurve:
    of = _values(frames, method.search)
    values = np.full((len(of.trials.numbers), len(box[0])), np.inf)
    values[of.rows] = _turned(objectives_of(frames), of.validation)
    stages = stages_of(frames, method.search, of.trials)
    n_orders = 1
    if any(stage.exchangeable for stage in stages):
        n_orders = max(1, min(_ORDERS[len(box[0])], _MOST_STEPS // len(values)))
    rng = np.random.default_rng(0)
    paths = [[*_volumes(values[_order(stages, rng)], box)] for _ in range(n_orders)]
    before = np.cumsum([0, *(len(stage.rows) for stage in stages[:-1])])
    n_trials = np.concatenate([n + one.draws for n, one in zip(before, stages, strict=True)])
    return VolumeCurve(
        search=method.search,
        title=method.title,
        axis=axis,
        cost=costs(trial_costs(frames, of.trials.runs, axis), stages),
        n_trials=n_trials,
        volume=np.mean(paths, axis=0)[n_trials - 1],
    )


def _order(stages: Sequence[StageTrials], rng: np.random.Generator) -> IntArray:
    """Positions of all trials as they could have been run."""
    return np.concatenate(
        [rng.permutation(one.rows) if one.exchangeable else one.rows for one in stages]
    )


def _volumes(values: FloatArray, box: tuple[FloatArray, FloatArray]) -> Iterator[float]:
    """The volume after each of the trials ``[N, M]``: what each adds is its own part of the box.

    Its own is what it beats without what others beat there, which a smaller front tells.
    """
    held = values[:0]
    volume = 0.0
    for value in values:
        if not (held <= value).all(axis=1).any():
            within = np.maximum(held, value)
            others = _share(within[_on_front(within)], box)
            volume += max(_share(value[None], box) - others, 0.0)
            held = np.vstack([held[~(value <= held).all(axis=1)], value])
        yield volume


def _on_front(values: FloatArray) -> BoolArray:
    return np.array(on_front(values.tolist()), dtype=bool)


def _share(turned: FloatArray, box: tuple[FloatArray, FloatArray]) -> float:
    """Part of the box that points beat; NaN if it has no volume."""
    reference, best = box
    whole = float(np.prod(reference - best))
    return hypervolume(turned, reference) / whole if whole > 0 else np.nan


def _turned(objectives: list[Objective], values: FloatArray) -> FloatArray:
    """Values ``[N, M]`` of which lower is better."""
    turned: FloatArray = values * np.array([objective.sign for objective in objectives])
    return turned


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


@once_per_study
def _values(frames: StudyFrames, search: str) -> _Values:
    trials = eligible(frames, search)
    rows = np.flatnonzero(np.isfinite(trials.keys).all(axis=1))
    runs = trials.runs[rows]
    validation, test = (_means(frames, runs, split) for split in ("validation", "test"))
    return _Values(trials=trials, rows=rows, validation=validation, test=test)


def _means(frames: StudyFrames, runs: IntArray, split: str) -> FloatArray:
    """Seed means ``[N, M]`` of the objectives' metrics; NaN where a run has no such value."""
    names = [metric[:2] for one in objectives_of(frames) for metric in one.metrics]
    rows = selected_metrics(frames, runs.ravel().tolist(), split=split)
    keys = zip(rows["run"], rows["task"], rows["metric"], strict=True)
    known = dict(zip(keys, rows["value"].tolist(), strict=True))
    return np.array(
        [
            [np.mean([known.get((run, *name), np.nan) for run in of_trial]) for name in names]
            for of_trial in runs.tolist()
        ]
    ).reshape(-1, len(names))
