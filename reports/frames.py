"""One study as DataFrames: what every figure, table and note is made of.

The rows come from the documented database views through a `StudyReader`; nothing can be written
back.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from reports._once import once_per_study
from reports._reader import StudyReader
from reports._rows import Epochs, typed_frame
from reports._shown import Shown
from search_spaces.lineage import KEY, Origin

_HAS_ORIGIN = f'"{KEY}"'


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskMetric:
    """One metric of one task, as the problem's card has it.

    Attributes:
        direction: ``"min"`` (lower is better) or ``"max"``.
        unit: Unit of the values; empty if there is none.
        share: Whether it is a share of a split's samples.
        signed: Whether the card says that it can be negative.
    """

    task: str
    name: str
    title: str
    direction: str
    unit: str
    share: bool = False
    signed: bool = False

    @property
    def sign(self) -> int:
        """The ``o_j`` of delta_m: +1 if lower is better, else -1."""
        return 1 if self.direction == "min" else -1


class Views:
    """Views of one study, each read when it is first asked for: no verb needs them all."""

    def __init__(self, reader: StudyReader, study: str) -> None:
        self._reader, self._study = reader, study
        self._read: dict[str, pd.DataFrame] = {}

    def frame(self, view: str) -> pd.DataFrame:
        """The rows of a view.

        Raises:
            BadView: The view lacks what reports need.
        """
        if view not in self._read:
            self._read[view] = typed_frame(view, *self._reader.view(view, self._study))
        return self._read[view]

    def exhibits(self, runs: Collection[int]) -> Sequence[Shown]:
        """What some runs show, as few as a statement can name: rows of ``run_exhibits``."""
        return self._reader.exhibits(self._study, runs=runs) if runs else ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class StudyFrames:
    """One study: its spec, its problem's card, and one DataFrame a database view.

    The reader stays open as long as the frames are used.

    Attributes:
        runs: View ``run_results``, one row a run, without those of follow-ups.
        epochs: View ``epoch_metrics``, read in parts as they are asked for.
        views: The other views, each read when it is first asked for.
        engines: By search, in the order of the spec, ``solo`` or ``fused`` and why it is that one;
            a search is not there before its first run.
        sealed: No test value is shown, see `weighbridge unseal`.
        birth: Names this study and no other, in whichever database.
        followups: View ``run_results``, one row a run of a follow-up: they are no trials of tuning.
    """

    name: str
    spec: Mapping[str, Any]
    card: Mapping[str, Any]
    runs: pd.DataFrame
    epochs: Epochs
    views: Views
    engines: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    sealed: bool = False
    birth: str = ""
    followups: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def attempts(self) -> pd.DataFrame:
        """View ``attempt_costs``, one row an execution."""
        return self.views.frame("attempt_costs")

    @property
    def stages(self) -> pd.DataFrame:
        """View ``stage_trials``, one row a (search, stage, trial)."""
        return self.views.frame("stage_trials")

    @property
    def decisions(self) -> pd.DataFrame:
        """View ``stage_decisions``, one row a stage winner."""
        return self.views.frame("stage_decisions")

    @property
    def baseline(self) -> pd.DataFrame:
        """View ``baseline_metrics``, one row a (baseline, task, metric, split)."""
        return self.views.frame("baseline_metrics")

    @property
    def timings(self) -> pd.DataFrame:
        """View ``epoch_timings``, one row a (calibration, sweep, search): an epoch alone in s."""
        return self.views.frame("epoch_timings")

    @once_per_study
    def runs_of(self, search: str) -> pd.DataFrame:
        """The rows of `runs` of one search, planned or not; must not be changed."""
        return self.runs[self.runs["search"] == search]

    @once_per_study
    def runs_by_id(self) -> pd.DataFrame:
        """The rows of `runs` by the runs' ids; must not be changed."""
        return self.runs.set_index("run")

    @once_per_study
    def stages_of(self, search: str) -> pd.DataFrame:
        """The rows of `stages` of one search; must not be changed."""
        return self.stages[self.stages["search"] == search]

    @property
    def conflicts(self) -> pd.DataFrame:
        """View ``gradient_conflicts``, one row a (run, epoch, pairing, measure)."""
        return self.views.frame("gradient_conflicts")

    @property
    def of_function(self) -> bool:
        """Whether its runs are those of a training function, ranked by its own metric."""
        return bool(self.card.get("kind") == "function")

    @property
    def of_trainer(self) -> bool:
        """Whether its runs are those of a trainer, which weighs no losses."""
        return self.spec.get("trainer") is not None

    @property
    def packed(self) -> bool:
        """Whether runs share packs, so that one costs less as run than trained alone."""
        return bool(self.in_packs(self.runs).any())

    def in_packs(self, runs: pd.DataFrame) -> "pd.Series[bool]":
        """Whether a run's search shares packs, or is told like those that do, by row of `runs`.

        Stacks do; of the solo engine, searches are told so where a cost alone was measured for one
        of those that have it for the same reason.
        """
        packed = {search for search, (engine, _) in self.engines.items() if engine == "fused"}
        alone, as_run = self.runs["solo_cost_s"], self.runs["method_cost_s"]
        timed = self.runs["search"][~np.isclose(alone, as_run, rtol=1e-12, atol=0.0)]
        reasons = {self.engines.get(search) for search in timed}
        packed |= {s for s in runs["search"].unique() if self.engines.get(s) in reasons}
        return runs["search"].isin(packed)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks, in the order of the card (and of ``task_weights``)."""
        return tuple(task["name"] for task in self.card.get("tasks", ()))

    @property
    def metrics(self) -> tuple[TaskMetric, ...]:
        """All M metrics; the first of each task is its primary one."""
        return tuple(
            TaskMetric(
                task=task["name"],
                name=metric["name"],
                title=metric.get("title", metric["name"]),
                direction=metric["direction"],
                unit=metric.get("unit", ""),
                # cards of earlier versions do not say
                share=metric.get("share", metric["name"] in ("error_rate", "accuracy")),
                signed=metric.get("signed", False),
            )
            for task in self.card.get("tasks", ())
            for metric in task["metrics"]
        )

    @once_per_study
    def standing_baseline(self, split: str) -> Mapping[tuple[str, str], float]:
        """The single-task networks' metrics on a split, by (task, metric); empty if not final."""
        table = self.baseline[self.baseline["standing"] & (self.baseline["split"] == split)]
        keys = zip(table["task"], table["metric"], strict=True)
        return dict(zip(keys, table["value"].tolist(), strict=True))

    @property
    def seeds(self) -> tuple[int, ...]:
        """The study's S seeds: those of the spec, else those that the searches used."""
        listed = self.spec.get("seeds") or self.runs.loc[self.runs["role"] == "search", "seed"]
        return tuple(sorted({int(seed) for seed in listed}))

    @property
    def searches(self) -> tuple[str, ...]:
        """Names of the MTL searches, in the order of the spec; STL is not among them."""
        return self._in_order("search")

    @property
    def searches_alone(self) -> tuple[str, ...]:
        """Names of the searches that need no baseline: of single tasks in the order of the card, or
        of a training function in that of the spec.
        """
        return self._in_order("baseline", "function")

    @once_per_study
    def _in_order(self, *roles: str) -> tuple[str, ...]:
        """Searches in the order of card and spec, those that the spec has dropped last."""
        found = self.runs.loc[self.runs["role"].isin(roles), "search"].unique().tolist()
        listed = [f"stl/{task}" for task in self.tasks]
        for part in self.spec.get("search", ()):
            listed += part_names(part)
        return tuple(sorted(found, key=lambda s: (listed.index(s) if s in listed else 1 << 20, s)))


def part_names(part: Mapping[str, Any]) -> list[str]:
    """Names of the searches that one [[search]] of a spec stands for."""
    name, weightings = part.get("name"), part.get("weighting", ())
    return [name] if name else [weightings] if isinstance(weightings, str) else list(weightings)


def load(reader: StudyReader, study: str) -> StudyFrames:
    """Read one study.

    Raises:
        BadView: A view of the database lacks what reports need.
    """
    record = reader.study(study)
    views = Views(reader, study)
    runs = views.frame("run_results")
    is_followup = runs["role"] == "followup"
    return StudyFrames(
        name=record.name,
        spec=record.spec,
        card=record.card,
        runs=runs[~is_followup] if is_followup.any() else runs,
        followups=runs[is_followup],
        epochs=Epochs(reader, study),
        views=views,
        engines={
            search.name: (search.engine, search.engine_reason)
            for search in reader.searches(record.id)
            if search.engine is not None
        },
        sealed=record.sealed,
        birth=record.birth,
    )


def trained_epochs(runs: pd.DataFrame) -> "pd.Series[int]":
    """Epochs that runs have paid for: the one that diverged has no metrics, but a cost.

    A run that goes on from another one has not paid for the epochs of that one.
    """
    inherited = runs["params"].map(_epochs_inherited).astype("int64")
    return runs["epochs"] - inherited + runs["diverged_epoch"].notna()


@lru_cache(maxsize=2**15)
def _epochs_inherited(params: str) -> int:
    origin = Origin.of(json.loads(params)) if _HAS_ORIGIN in params else None
    return 0 if origin is None else origin.epoch


def stages_tuning(frames: StudyFrames, search: str, name: str) -> pd.DataFrame:
    """Rows of a search's stages that tune the parameter `name`."""
    stages = frames.stages_of(search)
    tuned = "," + stages["params_tuned"].fillna("") + ","
    return stages[tuned.str.contains(f",{name},", regex=False)]


def strategies(stages: pd.DataFrame) -> "pd.Series[str]":
    """The strategy of each row of stages."""
    kinds = stages["kind"]
    return kinds.map({kind: strategy(kind) for kind in kinds.unique()})


def strategy(kind: str) -> str:
    """The strategy of a stage of this kind; a stopping rule stands behind a plus."""
    return kind.partition("+")[0]
