"""The trials that search views are made of, as columns: those of methods that have come to an end.

Shapes: N trials.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reports._naming import called
from reports._ranking import axis_title, number
from reports.dashboard.following.followed import Followed
from reports.dashboard.following.parameters import number_of
from reports.dashboard.following.ranked import objective_of
from reports.dashboard.following.trial_rows import TRIAL_STATES
from reports.dashboard.rendering import words
from reports.dashboard.rendering.templating import trial_path
from storage.objectives import Objective

_LOST = tuple(TRIAL_STATES.index(name) for name in ("diverged", "pruned"))
_WEIGHTS = "task_weights"
_DONE = TRIAL_STATES.index("done")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """Trials in the order in which they came up.

    Attributes:
        study: Number of the study.
        at: ``[N]``, places of the trials in the study's mirror.
        code: ``[N]``, their searches, as places in `searches`.
        number: ``[N]``, their numbers in their searches.
        value: ``[N]``, means over seeds on validation; the worst infinity of a trial that diverged
            or was pruned.
        test: ``[N]``, the same on test; NaN where it is not known or sealed.
        lost: ``[N]``, how a trial has ended that has no value; empty of others.
        parameters: ``[N]`` by name; NaN where a trial has none, or one that is no number.
        titles: How searches are called, in their order.
        weightings: Their weightings.
        tasks: Names of the tasks.
    """

    study: int
    objective: Objective
    at: NDArray[np.int64]
    code: NDArray[np.int64]
    number: NDArray[np.int64]
    value: NDArray[np.float64]
    test: NDArray[np.float64]
    lost: NDArray[np.str_]
    parameters: Mapping[str, NDArray[np.float64]]
    searches: tuple[str, ...]
    titles: tuple[str, ...]
    weightings: tuple[str, ...]
    tasks: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.at)

    @property
    def key(self) -> NDArray[np.float64]:
        """``[N]``, values turned so that lower is better."""
        return self.objective.sign * self.value

    @property
    def axis(self) -> str:
        """What the values are, as the title of an axis."""
        return axis_title(self.objective, "Validation")

    def only(self, keep: NDArray[Any]) -> Cloud:
        """Those trials alone: a mask ``[N]`` or places."""
        return replace(
            self,
            at=self.at[keep],
            code=self.code[keep],
            number=self.number[keep],
            value=self.value[keep],
            test=self.test[keep],
            lost=self.lost[keep],
            parameters={name: column[keep] for name, column in self.parameters.items()},
        )

    def with_parameters(self, columns: Mapping[str, NDArray[np.float64]]) -> Cloud:
        """The same trials with some parameters, ``[N]`` each, told anew."""
        return replace(self, parameters={**self.parameters, **columns})

    def of(self, search: str) -> Cloud:
        """Those of one search."""
        return self.only(self.code == self.searches.index(search))

    def varied(self) -> list[str]:
        """Parameters that have two values or more."""
        return [
            name
            for name, column in self.parameters.items()
            if np.isfinite(column).any() and np.nanmin(column) != np.nanmax(column)
        ]

    def link(self, trial: int) -> str:
        """Where one of the trials is shown."""
        search = self.searches[self.code[trial]]
        return trial_path(self.study, search, int(self.number[trial]))

    def named(self, trial: int) -> str:
        """``UW-SO 12``."""
        return f"{self.titles[self.code[trial]]} {self.number[trial]}"

    def worth(self, trial: int) -> str:
        """``Δm −4.50 %``, or how it ended."""
        if self.lost[trial]:
            return str(self.lost[trial])
        return f"{self.objective.title} {number(self.objective, float(self.value[trial]))}"

    def said(self, trial: int, *names: str) -> str:
        """A trial with its value, and with parameters by name."""
        point = [
            f"{called(name)} {words.number(float(self.parameters[name][trial]))}" for name in names
        ]
        return f"{self.named(trial)}: {', '.join([self.worth(trial), *point])}"


def cloud_of(study: Followed) -> Cloud:
    """The trials of a study as its mirror holds them now."""
    record, weighting_of, titles = study.record, study.weightings(), study.titles()
    objective = objective_of(record)
    tasks = tuple(task["name"] for task in record.card.get("tasks", ()))
    with study.lock:
        columns, mirror, known = study.columns(), study.mirror, study.parameters()
        planned = np.zeros(len(mirror.trials), dtype=bool)
        planned[mirror.column("trial")[mirror.column("planned")]] = True
        searches = tuple(mirror.trials.searches)
        lost = np.isin(columns.state, _LOST)
        done = (columns.state == _DONE) & np.isfinite(columns.value)
        at = np.flatnonzero(planned & (lost | done) & ~mirror.trials.alone)
        lost = lost[at]
        weightings = tuple(weighting_of.get(name, name) for name in searches)
        weights = known[_WEIGHTS].values[at] if _WEIGHTS in known else None
        return Cloud(
            study=record.id,
            objective=objective,
            at=at,
            code=mirror.trials.search[at].astype(np.int64),
            number=mirror.trials.number[at],
            value=np.where(lost, objective.sign * np.inf, columns.value[at]),
            test=np.where(lost | record.sealed, np.nan, columns.value_test[at]),
            lost=np.where(lost, np.array(TRIAL_STATES)[columns.state[at]], ""),
            parameters={
                **{name: _finite(one.numbers[at]) for name, one in known.items() if one.is_number},
                **({} if weights is None else _by_task(weights, tasks)),
            },
            searches=searches,
            titles=tuple(titles.get(name, name) for name in searches),
            weightings=weightings,
            tasks=tasks,
        )


def _finite(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _by_task(weights: NDArray[Any], tasks: Sequence[str]) -> Mapping[str, NDArray[np.float64]]:
    """``task_weights`` ``[N]``, lists or None, as a column a task."""
    table = np.full((len(weights), len(tasks)), np.nan)
    known = [at for at, one in enumerate(weights) if isinstance(one, list)]
    whole = [at for at in known if len(weights[at]) == len(tasks)]
    if whole:
        table[whole] = [[number_of(one) for one in weights[at]] for at in whole]
    return {f"w_{task}": column for task, column in zip(tasks, table.T, strict=True)}
