"""How much better multi-task features carry over to corrupted images than single-task ones.

Shapes: S seeds, C conditions (kinds of corruption x severities).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from reports._titles import title_of
from reports.comparing.rows import runs_final
from reports.comparing.winners import winner_of
from reports.frames import StudyFrames, TaskMetric
from reports.inference import Estimate, mean_of
from reports.measures import FloatArray
from storage.wording import counted

_SMALLEST: Final = 1e-12  # a clean value nearer to 0 has no relative change

Conditions = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """What a follow-up found of one search's winner, beside the single-task networks.

    ``delta_t = mean of o_j (M_corrupted / M_clean of the search - the same of STL)``, over metrics,
    kinds and severities: lower is better, and below 0 the multi-task features lose less (Elich et
    al. 2023, arXiv 2311.04698, appendix A6).

    Attributes:
        followup: Name of the follow-up.
        search: The search that was followed up.
        title: Of its method, with the follow-up where there are several.
        conditions: Kind and severity of each of the C conditions.
        by_task: Task to delta_t ``[S, C]`` of each seed and condition.
        runs: Ids of the runs that it is made of.
        left_out: Metrics without a relative change: a clean value is 0, or a value is missing.
    """

    followup: str
    search: str
    title: str
    conditions: Conditions
    by_task: Mapping[str, FloatArray]
    runs: tuple[int, ...]
    left_out: tuple[str, ...] = ()

    @property
    def by_seed(self) -> FloatArray:
        """``[S, C]``, the mean over tasks."""
        found: FloatArray = np.mean([*self.by_task.values()], axis=0)
        return found

    def of_task(self, task: str) -> Estimate:
        """delta_t of a task, over seeds."""
        return mean_of(self.by_task[task].mean(axis=1))

    @property
    def whole(self) -> Estimate:
        """delta_t of all tasks, over seeds."""
        return mean_of(self.by_seed.mean(axis=1))


def transfers(frames: StudyFrames) -> tuple[Transfer, ...]:
    """One for each follow-up of each search whose runs are done, with those of all single tasks."""
    if frames.sealed or not len(frames.followups):
        return ()
    rows = judged(frames)
    return tuple(
        found
        for part in frames.spec.get("followup", ())
        for search in frames.searches
        if (found := _transfer(frames, rows, part["name"], search))
    )


def outstanding_followups(frames: StudyFrames) -> int:
    """Runs of follow-ups that are planned and have not ended well."""
    planned = frames.followups[frames.followups["planned"]]
    return int((planned["state"] != "done").sum())


def not_followed_up(frames: StudyFrames, found: Sequence[Transfer]) -> tuple[str, ...]:
    """Titles of methods of which something is still to come, beside what was found.

    A method that has ended without a winner has no networks to go on from.
    """
    known = {(one.followup, one.search) for one in found}
    return tuple(
        _title(frames, part["name"], search)
        for part in frames.spec.get("followup", ())
        for search in frames.searches
        if (part["name"], search) not in known and _has_networks(frames, search)
    )


def methods_said(found: Sequence[Transfer]) -> str:
    """``2 methods``; ``2 methods in 2 follow-ups``."""
    methods = counted(len({one.search for one in found}), "method")
    n_followups = len({one.followup for one in found})
    return methods if n_followups == 1 else f"{methods} in {counted(n_followups, 'follow-up')}"


def _title(frames: StudyFrames, followup: str, search: str) -> str:
    title = title_of(frames, search)
    return title if len(frames.spec["followup"]) == 1 else f"{title} ({followup})"


def _has_networks(frames: StudyFrames, search: str) -> bool:
    """Whether a search has a winner, or may still have one."""
    finished, planned = runs_final(frames, search)
    return finished < planned or winner_of(frames, search) is not None


def _conditions(rows: pd.DataFrame, runs: Mapping[int, int]) -> Conditions:
    """The conditions that runs were judged in, in the order of their names."""
    names = rows.loc[rows["run"].isin(runs.values()), "condition"].unique()
    found = (name.rpartition("/") for name in names if name)
    return tuple(sorted((kind, int(severity)) for kind, _, severity in found))


def _transfer(
    frames: StudyFrames, rows: pd.DataFrame, followup: str, search: str
) -> Transfer | None:
    mine = _chosen(frames, f"{followup}/{search}")
    alone = {task: _chosen(frames, f"{followup}/stl/{task}") for task in frames.tasks}
    runs = [mine, *alone.values()]
    if any(set(of) != set(frames.seeds) for of in runs):
        return None
    conditions = _conditions(rows, mine)
    by_task: dict[str, FloatArray] = {}
    left_out: list[str] = []
    for task in frames.tasks:
        tables = []
        for metric in (one for one in frames.metrics if one.task == task):
            changes = [
                _ratios(rows, [of[seed] for seed in frames.seeds], metric, conditions)
                for of in (mine, alone[task])
            ]
            table = metric.sign * (changes[0] - changes[1])
            if np.isfinite(table).all():
                tables.append(table)
            else:
                left_out.append(f"{task}.{metric.name}")
        if tables:
            by_task[task] = np.mean(tables, axis=0)
    if not by_task:
        return None
    return Transfer(
        followup=followup,
        search=search,
        title=_title(frames, followup, search),
        conditions=conditions,
        by_task=by_task,
        runs=tuple(sorted(run for of in runs for run in of.values())),
        left_out=tuple(left_out),
    )


def _chosen(frames: StudyFrames, search: str) -> dict[int, int]:
    """Runs by seed of the trial that a follow-up has decided for."""
    decided = frames.decisions[
        (frames.decisions["search"] == search) & frames.decisions["standing"]
    ]["trial"]
    runs = frames.followups
    of = runs["planned"] & (runs["state"] == "done") & runs["trial"].isin(decided)
    found = runs[(runs["search"] == search) & of]
    return dict(zip(found["seed"].tolist(), found["run"].tolist(), strict=True))


def _ratios(
    rows: pd.DataFrame, runs: Sequence[int], metric: TaskMetric, conditions: Conditions
) -> FloatArray:
    """``[S, C]``, a metric on corrupted images over that on clean ones; NaN where there is none."""
    own = rows[(rows["task"] == metric.task) & (rows["name"] == metric.name)]
    wide = own.pivot_table(index="run", columns="condition", values="value")
    names = ["", *(f"{kind}/{severity}" for kind, severity in conditions)]
    table = wide.reindex(index=list(runs), columns=names).to_numpy(dtype=np.float64)
    clean = np.where(np.abs(table[:, :1]) < _SMALLEST, np.nan, table[:, :1])
    ratios: FloatArray = table[:, 1:] / clean
    return ratios


def judged(frames: StudyFrames) -> pd.DataFrame:
    """Test values of follow-ups after their last epoch: run, task, metric, name, condition, value.

    `metric` is `name`, and the condition behind it, which is empty for clean images.
    """
    rows = frames.epochs.rows(split="test", runs=frames.followups["run"].tolist())
    rows = rows[rows["epoch"] == rows.groupby("run")["epoch"].transform("max")]
    clean = {"loss", *(metric.name for metric in frames.metrics)}
    named = [
        (metric, "") if metric in clean else _name_and_condition(metric)
        for metric in rows["metric"]
    ]
    return rows.assign(name=[name for name, _ in named], condition=[of for _, of in named])


def _name_and_condition(metric: str) -> tuple[str, str]:
    """``error_rate`` and ``fog/3`` of ``error_rate/fog/3``."""
    name, kind, severity = metric.rsplit("/", 2)
    return name, f"{kind}/{severity}"


def conditions_table(found: Transfer) -> Iterator[tuple[str, Mapping[int, float]]]:
    """Of each kind of corruption: severity to delta_t, the mean over seeds and tasks."""
    means = found.by_seed.mean(axis=0)
    for kind in dict.fromkeys(kind for kind, _ in found.conditions):
        yield (
            kind,
            {
                severity: float(mean)
                for (of, severity), mean in zip(found.conditions, means, strict=True)
                if of == kind
            },
        )
