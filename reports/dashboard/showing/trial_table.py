"""The columns that a list of trials can have: which there are, which are shown, what they hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from starlette.datastructures import QueryParams

from reports._palette import method_colour
from reports._ranking import axis_title
from reports.dashboard.following.followed import Followed
from reports.dashboard.following.measured import COSTS, LARGEST, Measure, measures_of, read
from reports.dashboard.following.parameters import Parameter
from reports.dashboard.following.trial_rows import TRIAL_STATES
from storage import Reader
from storage.objectives import Objective

Kind = Literal[
    "number", "ranked", "memory", "money", "duration", "count", "state", "trial", "point", "value"
]
_SHOWN: Final = ("trial", "value", "test", "state", "cost", "params", "runs", "epochs")
"""By default."""

_COST_KINDS: Final[Mapping[str, Kind]] = {"peak_memory_bytes": "memory", "money": "money"}
_AT_ONCE: Final = 5_000  # runs that a statement names


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a list of trials.

    Attributes:
        key: In a query string.
        group: Under which it stands among those that can be chosen.
        csv: Its name in a CSV file.
        of: A trial's cell, by the trial's place.
        sorted_by: Tells its numbers ``[N]``, with the study's lock held; None if trials cannot be
            sorted by it.
        best_is_high: Whether more is better.
        measure: What the mirror does not hold of it, and what is read once it is asked for.
    """

    key: str
    title: str
    group: str
    kind: Kind
    csv: str
    of: Callable[[int], Any]
    sorted_by: Callable[[], NDArray[np.float64]] | None = None
    best_is_high: bool = False
    measure: Measure | None = None

    @property
    def words(self) -> bool:
        """Whether its cells are texts."""
        return self.kind in ("state", "trial", "point", "value")


class TrialTable:
    """All columns of a study's trials; made with the study's lock held."""

    def __init__(self, study: Followed, objective: Objective) -> None:
        self._study, self._record = study, study.record
        self._cells: dict[str, dict[int, float]] = {}
        shows_test = not study.record.sealed
        own = [*_plain_columns(study, objective), *_parameter_columns(study)]
        own += self._measured_columns()
        self.columns = {one.key: one for one in own if shows_test or one.key != "test"}

    def chosen(self, params: QueryParams) -> list[Column]:
        """The columns that a query string names, else those that are shown by default."""
        named = {key for key in params.getlist("show") if key in self.columns}
        return [one for one in self.columns.values() if one.key in (named or _SHOWN)]

    def fetch(self, reader: Reader, columns: Iterable[Column], rows: Sequence[int]) -> None:
        """Have the cells of some trials that the mirror does not hold; without the lock."""
        measures = [one.measure for one in columns if one.measure is not None]
        if not measures:
            return
        with self._study.lock:
            mirror = self._study.mirror
            chosen = np.flatnonzero(np.isin(mirror.column("trial"), rows))
            runs, of = mirror.column("run")[chosen].tolist(), mirror.column("trial")[chosen]
            own = ~mirror.column("confirms")[chosen]
        places = {row: place for place, row in enumerate(rows)}
        trial = np.array([places[at] for at in of.tolist()], dtype=np.int64)
        known: dict[Measure, dict[int, float]] = {one: {} for one in measures}
        for start in range(0, len(runs), _AT_ONCE):
            some = runs[start : start + _AT_ONCE]
            for measure, found in read(reader, self._record.name, measures, some).items():
                known[measure].update(found)
        for measure, of_runs in known.items():
            values = np.array([of_runs.get(run, np.nan) for run in runs], dtype=np.float64)
            summed = of_trials(measure, values, trial, own, n=len(rows))
            self._cells[measure.key] = dict(zip(rows, summed.tolist(), strict=True))

    def _column(self, measure: Measure, **said: Any) -> Column:
        """One whose numbers are not in the mirror."""
        return Column(
            key=measure.key,
            csv=measure.key,
            measure=measure,
            of=lambda at: self._cells.get(measure.key, {}).get(at, math.nan),
            sorted_by=lambda: self._all(measure),
            **said,
        )

    def _all(self, measure: Measure) -> NDArray[np.float64]:
        """``[N]``, as far as it was read; with the lock held."""
        study = self._study
        mirror, values = study.mirror, study.measured.values(measure)
        own = ~mirror.column("confirms")
        n = len(mirror.trials)
        return of_trials(measure, values, mirror.column("trial"), own, n=n)

    def _measured_columns(self) -> Iterable[Column]:
        for measure, card in measures_of(self._record).items():
            if measure.split:
                unit = card.get("unit", "1")
                title = f"{measure.task} {measure.name}, {measure.split}".replace("_", " ")
                yield self._column(
                    measure,
                    title=title + (f" in {unit}" if unit not in ("", "1") else ""),
                    group=f"Metrics on {measure.split}",
                    kind="number",
                    best_is_high=card.get("direction") == "max",
                )
            else:
                kind = cost_kind(measure.name)
                yield self._column(measure, title=COSTS[measure.name], group="Cost", kind=kind)


def of_trials(
    measure: Measure,
    values: NDArray[np.float64],
    trial: NDArray[Any],
    own: NDArray[np.bool_],
    *,
    n: int,
) -> NDArray[np.float64]:
    """``[n]``: what runs ``[m]`` come to together in each trial; NaN where that is not known.

    A metric is the mean over the study's own seeds, once all of them have one; a cost is that of
    all runs.

    Args:
        values: ``[m]``, NaN where a run has none.
        trial: ``[m]``, places of the trials, below `n`.
        own: ``[m]``, whether a run is on a seed of the study's own.
    """
    if measure.split:
        sums = np.bincount(trial[own], weights=values[own], minlength=n)
        runs = np.bincount(trial[own], minlength=n)
        return np.asarray(np.where(runs > 0, sums / np.maximum(runs, 1), np.nan))
    known = ~np.isnan(values)
    trial, values = trial[known], values[known]
    if measure.name in LARGEST:
        most = np.full(n, -np.inf)
        np.maximum.at(most, trial, values)
        return np.where(np.isfinite(most), most, np.nan)
    sums = np.bincount(trial, weights=values, minlength=n)
    return np.where(np.bincount(trial, minlength=n) > 0, sums, np.nan)


def cost_kind(name: str) -> Kind:
    """How what attempts use is written."""
    return _COST_KINDS.get(name, "number")


def _plain_columns(study: Followed, objective: Objective) -> Iterable[Column]:
    """What trials come to, as the mirror has it."""
    columns, trials = study.columns(), study.mirror.trials

    def column(key: str, title: str, kind: Kind, csv: str, values: NDArray[Any]) -> Column:
        return Column(
            key=key,
            title=title,
            group="Trial",
            kind=kind,
            csv=csv,
            of=lambda at: values[at].item(),
            sorted_by=lambda: values.astype(np.float64, copy=False),
            best_is_high=kind == "ranked" and objective.direction == "max",
        )

    yield Column(
        key="trial",
        title="Trial",
        group="Trial",
        kind="trial",
        csv="",
        of=_named(study),
        sorted_by=lambda: columns.search.astype(np.float64),
    )
    yield column("value", axis_title(objective, "Validation"), "ranked", "value", columns.value)
    yield column("test", axis_title(objective, "Test"), "ranked", "value_test", columns.value_test)
    yield Column(
        key="state",
        title="State",
        group="Trial",
        kind="state",
        csv="state",
        of=lambda at: TRIAL_STATES[columns.state[at]],
        sorted_by=lambda: columns.state.astype(np.float64),
    )
    yield column("cost", "Device time", "duration", "device_s", columns.device_s)
    yield Column(
        key="params",
        title="Parameters",
        group="Trial",
        kind="point",
        csv="params",
        of=lambda at: trials[at].params,
    )
    yield column("runs", "Runs", "count", "runs", columns.runs)
    yield column("epochs", "Epochs", "count", "epochs", columns.epochs)


def _named(study: Followed) -> Callable[[int], dict[str, Any]]:
    """How a trial is named and addressed."""
    trials, of_search, titles = study.mirror.trials, study.weightings(), study.titles()

    def named(at: int) -> dict[str, Any]:
        one = trials[at]
        return {
            "search": one.search,
            "number": one.number,
            "title": titles.get(one.search, one.search),
            "colour": method_colour(of_search.get(one.search, one.search)),
        }

    return named


def _parameter_columns(study: Followed) -> Iterable[Column]:
    for parameter in study.parameters().values():
        yield Column(
            key=f"p.{parameter.name}",
            title=parameter.title,
            group="Parameters",
            kind="value",
            csv=parameter.name,
            of=parameter.of,
            sorted_by=partial(_numbers, parameter) if parameter.is_number else None,
        )


def _numbers(parameter: Parameter) -> NDArray[np.float64]:
    return parameter.numbers
