"""One setting for all problems: what a method is worth that is tuned on the other studies only.

Nothing of the study that scores has a part in the choice, so its test values are not optimistic.
Shapes: S seeds.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reports._digits import finite
from reports._eligible import eligible
from reports._ranking import objective_of
from reports._selected import selected_metrics
from reports.across.methods import Method, Studies
from reports.across.standings import Strata, over_problems
from reports.comparing.differences import with_baseline
from reports.comparing.scores import Scores, gap, scores_of
from reports.comparing.winners import winner_of
from reports.frames import StudyFrames
from reports.inference import Estimate, Interval, mean_of
from storage.objectives.delta_m import NAME as DELTA_M

_Settings = Mapping[str, int]
"""Settings, as text that is the same in all studies, to the row among a study's trials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transferred:
    """A setting in the study that had no part in choosing it.

    Attributes:
        method: Key of the method that it is of.
        params: The setting.
        value: Test value, mean over the seeds of the study.
        interval: Of `value`, over seeds; None with one seed.
        price: `value` minus what the method reaches when it is tuned on this study; NaN where the
            method itself was chosen on the others, too.
    """

    method: str
    params: Mapping[str, Any]
    value: float
    interval: Interval | None
    price: float

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return {
            "method": self.method,
            "params": dict(self.params),
            "value_test": finite(self.value),
            "diverged": math.isinf(self.value),
            "low": self.interval and self.interval.low,
            "high": self.interval and self.interval.high,
            "price": finite(self.price),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class OneSetting:
    """A method, or the best of all, with the setting that is best on the other studies.

    Attributes:
        title: How reports call the method.
        n_common: Settings that were tried in all studies.
        by_study: Label of a study to the setting there.
        price: Mean over problems of what it costs not to tune on the study.
        interval: Of `price`, from problem to problem; None with one problem.
    """

    title: str
    n_common: int
    by_study: Mapping[str, Transferred]
    price: float
    interval: Interval | None

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return {
            "title": self.title,
            "n_common": self.n_common,
            "price": finite(self.price),
            "low": self.interval and self.interval.low,
            "high": self.interval and self.interval.high,
            "by_study": {label: one.to_plain() for label, one in self.by_study.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A setting that all studies have tried.

    Attributes:
        rows: Label of a study to its row among the eligible trials there.
        keys: The same to its mean value on validation, lower is better; +inf if it diverged.
    """

    method: Method
    params: Mapping[str, Any]
    rows: Mapping[str, int]
    keys: Mapping[str, float]


def one_settings(
    studies: Studies, methods: Sequence[Method], strata: Strata
) -> tuple[OneSetting, ...]:
    """The best setting on the other studies, of each method and of all together.

    Args:
        methods: Those with a final value in each study of `strata`.

    Returns:
        Methods without a setting that all studies have tried are left out; with two methods or more
        the best of all comes last.
    """
    labels = [label for found in strata.values() for label in found]
    if len(labels) < 2:
        return ()
    found = {method.title: _candidates(studies, method, labels) for method in methods}
    found = {title: candidates for title, candidates in found.items() if candidates}
    rows = [_row(title, studies, candidates, strata) for title, candidates in found.items()]
    if len(found) > 1:
        everything = [one for candidates in found.values() for one in candidates]
        rows.append(_row("best of all methods", studies, everything, strata, any_method=True))
    return tuple(row for row in rows if row is not None)


def _candidates(studies: Studies, method: Method, labels: Sequence[str]) -> list[_Candidate]:
    tables = {label: _settings(studies[label], _search(method, label)) for label in labels}
    keys = {label: _validation(studies[label], _search(method, label)) for label in labels}
    first = tables[labels[0]]
    common = [text for text in first if all(text in table for table in tables.values())]
    return [
        _Candidate(
            method=method,
            params=json.loads(text)["params"],
            rows={label: tables[label][text] for label in labels},
            keys={label: keys[label][tables[label][text]] for label in labels},
        )
        for text in common
    ]


def _settings(frames: StudyFrames, search: str) -> _Settings:
    """Weights of tasks are the same setting only where the tasks are."""
    runs = frames.runs_of(search).drop_duplicates("trial")
    params = dict(zip(runs["trial"], map(json.loads, runs["params"]), strict=True))
    found: dict[str, int] = {}
    for row, trial in enumerate(eligible(frames, search).numbers.tolist()):
        tasks = frames.tasks if "task_weights" in params[trial] else ()
        said = {"params": params[trial], "tasks": list(tasks)}
        found[json.dumps(said, sort_keys=True)] = row
    return found


def _validation(frames: StudyFrames, search: str) -> list[float]:
    means: list[float] = eligible(frames, search).keys.mean(axis=1).tolist()
    return means


def _search(method: Method, label: str) -> str:
    return method.results[label].row.search


def _row(
    title: str,
    studies: Studies,
    candidates: Sequence[_Candidate],
    strata: Strata,
    *,
    any_method: bool = False,
) -> OneSetting | None:
    """None where no setting was trained out on the others of some study."""
    by_study: dict[str, Transferred] = {}
    for label in (label for found in strata.values() for label in found):
        chosen = _best_elsewhere(candidates, label, strata)
        if chosen is None:
            return None
        by_study[label] = _transferred(studies[label], label, chosen, tuned=not any_method)
    prices = np.array([[one.price] for one in by_study.values()])
    estimate = mean_of(over_problems(prices, [*by_study], strata)[:, 0])
    return OneSetting(
        title=title,
        n_common=len(candidates),
        by_study=by_study,
        price=estimate.value,
        interval=estimate.interval(),
    )


def _best_elsewhere(
    candidates: Sequence[_Candidate], label: str, strata: Strata
) -> _Candidate | None:
    """The best mean over the problems of all other studies, each of which counts alike."""

    def mean(one: _Candidate) -> float:
        others = ([at for at in found if at != label] for found in strata.values())
        return float(np.mean([np.mean([one.keys[at] for at in some]) for some in others if some]))

    best = min(candidates, key=mean)
    return best if math.isfinite(mean(best)) else None


def _transferred(
    frames: StudyFrames, label: str, chosen: _Candidate, *, tuned: bool
) -> Transferred:
    search, row = _search(chosen.method, label), chosen.rows[label]
    trials, objective = eligible(frames, search), objective_of(frames)
    values = np.where(np.isnan(trials.test[row]), objective.sign * np.inf, trials.test[row])
    scores = Scores(by_seed=dict(zip(frames.seeds, values.tolist(), strict=True)), layout=None)
    winner = winner_of(frames, search)
    price = math.nan
    if tuned and winner is not None:
        price = gap(scores, scores_of(frames, search, winner))[0].value
    return Transferred(
        method=chosen.method.key,
        params=chosen.params,
        value=scores.value,
        interval=_against_baseline(frames, scores.estimate, trials.runs[row].tolist()).interval(),
        price=price,
    )


def _against_baseline(frames: StudyFrames, estimate: Estimate, runs: Sequence[int]) -> Estimate:
    """With the error that the baseline's seeds add to a delta_m."""
    objective = objective_of(frames)
    if objective.name != DELTA_M:
        return estimate
    means = selected_metrics(frames, runs).groupby(["task", "metric"])["value"].mean()
    wanted = [(metric.task, metric.name) for metric in frames.metrics]
    metrics = {key: float(means[key]) for key in wanted if key in means.index}
    return with_baseline(frames, estimate, metrics, objective)
