"""Who is ahead if the same runs are read in other ways: other means, less of the data (M15, M16).

Shapes: K methods, M metrics, S seeds.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from reports._eligible import eligible
from reports._ranking import number, objective_of
from reports._titles import title_of
from reports.comparing.differences import Difference, adjusted, difference
from reports.comparing.effort import is_equal_weighting, shortfall
from reports.comparing.metric_shares import metric_points
from reports.comparing.scores import metric_means
from reports.comparing.winners import Winner, winner_of
from reports.frames import StudyFrames, TaskMetric
from reports.measures import FloatArray
from storage.objectives import Objective
from storage.objectives.delta_m import NAME as DELTA_M
from storage.wording import counted

Scale = Literal["objective", "delta_m", "rank"]

_FEWEST_SEEDS = 3  # one is left out, and those that remain choose for each other


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One way to say who is ahead.

    Attributes:
        name: What is done, such as ``mean over tasks``.
        scale: What values are: of the objective, of delta_m in percent, or ranks from 1.
        ahead: Titles of the best methods; several if they are equal, or if it is one or the other.
        value: Their value; NaN where a reading has several.
        next: Titles of the best ones after them; none where there are none, or several values.
        next_value: Theirs; NaN without.
    """

    name: str
    scale: Scale
    ahead: tuple[str, ...]
    value: float
    next: tuple[str, ...]
    next_value: float

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return {
            "reading": self.name,
            "scale": self.scale,
            "ahead": list(self.ahead),
            "value": None if math.isnan(self.value) else self.value,
            "next": list(self.next),
            "next_value": None if math.isnan(self.next_value) else self.next_value,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Robustness:
    """Readings of one study.

    Attributes:
        winner: Title of the method with the best value.
        readings: That by the objective first.
        others: The winner minus each other method, one family after Holm.
        titles: Search to title.
        shortfalls: Sentences on equal weighting that was tuned less than the winner, by search.
        n_left_out: Methods that take no part: a run can still change their value, or it is not
            finite.
    """

    winner: str
    readings: tuple[Reading, ...]
    others: tuple[Difference, ...]
    titles: Mapping[str, str]
    shortfalls: Mapping[str, str]
    n_left_out: int = 0

    @property
    def n_ahead(self) -> int:
        """In how many readings the winner alone is ahead."""
        return sum(reading.ahead == (self.winner,) for reading in self.readings)

    @property
    def sentence(self) -> str:
        """In how many readings the winner is ahead, who else is, and whom it is told from."""
        n_readings = len(self.readings)
        else_ahead = Counter(
            " or ".join(reading.ahead)
            for reading in self.readings
            if reading.ahead != (self.winner,)
        )
        elsewhere = ", ".join(f"{title} in {n}" for title, n in else_ahead.most_common())
        among = f"Of {len(self.titles)} methods with a final value, " * bool(self.n_left_out)
        return (
            f"{among}{self.winner} has the best value, and is ahead in {self.n_ahead} of "
            f"{counted(n_readings, 'reading')} of the same runs"
            f"{f' ({elsewhere})' if elsewhere else ''}. {self._told_from()}"
        )

    def _told_from(self) -> str:
        near = [
            self.titles[found.b] for found in self.others if found.verdict in ("undecided", "worse")
        ]
        alike = [self.titles[found.b] for found in self.others if found.verdict == "comparable"]
        if not near and not alike:
            but = [self.shortfalls[one.b] for one in self.others if one.b in self.shortfalls]
            others = "of the others" if self.n_left_out else "other method"
            return " ".join([f"It is better than each {others} (95 %, after Holm).", *but])
        parts = [f"undecided against {', '.join(near)}"] * bool(near)
        parts += [f"comparable to {', '.join(alike)}"] * bool(alike)
        return f"Being ahead is no verdict: it is {' and '.join(parts)}."

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return {
            "sentence": self.sentence,
            "winner": self.winner,
            "n_ahead": self.n_ahead,
            "readings": [reading.to_plain() for reading in self.readings],
            "others": [found.to_plain() for found in self.others],
        }


def robustness(frames: StudyFrames, searches: Sequence[str]) -> Robustness | None:
    """Read the methods in other ways; None with fewer than two that have finite values.

    Args:
        searches: Those whose values no outstanding run can change.
    """
    winners = {search: winner_of(frames, search) for search in searches}
    known = {s: w for s, w in winners.items() if w is not None and math.isfinite(w.value)}
    if len(known) < 2 or frames.sealed:
        return None
    sign = objective_of(frames).sign
    order = sorted(known, key=lambda search: (sign * known[search].value, search))
    titles = {search: title_of(frames, search) for search in order}
    gaps = [difference(frames, order[0], other) for other in order[1:]]
    equal = [other for other in order[1:] if is_equal_weighting(frames, other)]
    said = {search: shortfall(frames, search, order[0]) for search in equal}
    return Robustness(
        winner=titles[order[0]],
        readings=tuple(_readings(frames, {search: known[search] for search in order}, titles)),
        others=adjusted([gap for gap in gaps if gap is not None]),
        titles=titles,
        shortfalls={search: text for search, text in said.items() if text},
        n_left_out=len(frames.searches) - len(known),
    )


def _readings(
    frames: StudyFrames, winners: Mapping[str, Winner], titles: Mapping[str, str]
) -> Iterator[Reading]:
    objective, names = objective_of(frames), [*titles.values()]
    by_objective = np.array([winner.value for winner in winners.values()])
    yield _reading(_base_name(objective), "objective", names, by_objective, objective.sign)
    changes = _changes(frames, [*winners])
    if changes is not None:
        if objective.name != DELTA_M:
            yield _reading("mean over metrics", "delta_m", names, changes.mean(axis=1))
        yield from _other_means(frames.metrics, changes, names)
    values = _metric_table(frames, [*winners])
    yield from _other_ranks(frames.metrics, values, names)
    yield from _without_seeds(frames, winners, names)


def _base_name(objective: Objective) -> str:
    return "mean over metrics" if objective.name == DELTA_M else objective.title


def _metric_table(frames: StudyFrames, searches: Sequence[str]) -> FloatArray:
    """Test values of winners, ``[K, M]``; NaN where there is none."""
    found = [metric_means(frames, search) for search in searches]
    keys = [(metric.task, metric.name) for metric in frames.metrics]
    return np.array([[means[key] for key in keys] for means in found])


def _changes(frames: StudyFrames, searches: Sequence[str]) -> FloatArray | None:
    """Relative changes against the single-task networks in percent, ``[K, M]``; lower is better.

    None where one is missing.
    """
    points = [metric_points(frames, search) for search in searches]
    if not all(points):
        return None
    n_metrics = len(frames.metrics)
    return n_metrics * np.array([[*of_one.values()] for of_one in points])


def _other_means(
    metrics: Sequence[TaskMetric], changes: FloatArray, names: Sequence[str]
) -> Iterator[Reading]:
    """Other ways to make one number of relative changes ``[K, M]``."""
    tasks = [metric.task for metric in metrics]
    by_task = pd.DataFrame(changes.T).groupby(tasks, sort=False).mean().to_numpy().T
    if len({*Counter(tasks).values()}) > 1:  # else it is the mean over metrics
        yield _reading("mean over tasks", "delta_m", names, by_task.mean(axis=1))
    if by_task.shape[1] > 1:
        yield _reading("worst task", "delta_m", names, by_task.max(axis=1))
    for at, metric in enumerate(metrics) if len(metrics) > 1 else ():
        rest = np.delete(changes, at, axis=1).mean(axis=1)
        what = f"{metric.title.lower()} of {metric.task}"
        yield _reading(f"mean without {what}", "delta_m", names, rest)


def _other_ranks(
    metrics: Sequence[TaskMetric], values: FloatArray, names: Sequence[str]
) -> Iterator[Reading]:
    """Mean ranks over the metrics, which depend on who takes part."""
    if len(metrics) < 2 or not np.isfinite(values).all():
        return
    table = pd.DataFrame(values * np.array([metric.sign for metric in metrics]))
    yield _reading("mean rank over metrics", "rank", names, table.rank().mean(axis=1).to_numpy())
    if len(names) > 2:
        yield _without_one_method(table, names)


def _without_one_method(table: pd.DataFrame, names: Sequence[str]) -> Reading:
    """Mean ranks without one method after the other, but for the first; one reading of all.

    Args:
        table: ``[K, M]``, values of which lower is better.
    """
    found: Counter[str] = Counter()
    for at in range(1, len(names)):
        ranks = table.drop(index=at).rank().mean(axis=1)
        best = ranks.index[np.isclose(ranks, ranks.min(), rtol=1e-12)]
        found.update(names[place] for place in best)
    return Reading(
        name="mean rank without any one other method",
        scale="rank",
        ahead=tuple(title for title, _ in found.most_common()),
        value=math.nan,
        next=(),
        next_value=math.nan,
    )


def _without_seeds(
    frames: StudyFrames, winners: Mapping[str, Winner], names: Sequence[str]
) -> Iterator[Reading]:
    """The objective without one of the seeds that all methods have; those left choose anew."""
    seeds = [{*winner.by_seed} for winner in winners.values()]
    if any(found != seeds[0] for found in seeds) or len(seeds[0]) < _FEWEST_SEEDS:
        return
    for seed in sorted(seeds[0]):
        values = [_without_seed(frames, search, found, seed) for search, found in winners.items()]
        if np.isfinite(values).all():
            sign = objective_of(frames).sign
            yield _reading(f"mean without seed {seed}", "objective", names, np.array(values), sign)


def _without_seed(frames: StudyFrames, search: str, winner: Winner, seed: int) -> float:
    at = sorted(winner.by_seed).index(seed)
    table = winner.fresh if winner.kind == "confirmed" else eligible(frames, search)
    if table is None:  # one trial on fresh seeds: there is nothing to choose
        return float(np.mean([value for other, value in winner.by_seed.items() if other != seed]))
    if table.runs.shape[1] != len(winner.by_seed):
        return math.nan
    rest = table.without_seed(at)
    chosen = rest.fold_winners()
    return float(
        np.mean([math.nan if k is None else rest.test[k, s] for s, k in enumerate(chosen)])
    )


def _reading(
    name: str, scale: Scale, names: Sequence[str], values: FloatArray, sign: float = 1.0
) -> Reading:
    """Who is ahead by values ``[K]``; equal but for rounding is equal."""
    best = float((sign * values).min())
    level = np.isclose(sign * values, best, rtol=1e-12, atol=1e-12)
    rest = sign * values[~level]
    after = float(rest.min()) if len(rest) else math.nan
    behind = ~level & np.isclose(sign * values, after, rtol=1e-12, atol=1e-12)
    return Reading(
        name=name,
        scale=scale,
        ahead=tuple(title for title, there in zip(names, level, strict=True) if there),
        value=sign * best,
        next=tuple(title for title, there in zip(names, behind, strict=True) if there),
        next_value=sign * after,
    )


def value_said(reading: Reading, value: float, objective: Objective) -> str:
    """A value of a reading as it is written; a dash if there is none."""
    if math.isnan(value):
        return "–"
    if reading.scale == "objective":
        return number(objective, value)
    said = f"{value:.2f}" if reading.scale == "rank" else f"{value:+.2f} %"
    return said.replace("-", "\N{MINUS SIGN}")
