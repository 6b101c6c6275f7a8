"""What a search wants, what has come of it and what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.objectives import Objective
from storage.states import RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A point that a stage tries.

    Attributes:
        written: The point as readers and programs get it: whole numbers are whole.
        round: Which round of the stage proposed it, from 0.
    """

    params: str
    written: str
    round: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run to be added: a trial x a seed.

    Attributes:
        epochs: Up to which it is trained now: its first rung, or all of them.
        parent: Number of the trial, and the epoch, from whose run of the same seed it goes on;
            None: it begins by itself.
    """

    params: str
    seed: int
    role: str
    run_key: str
    pack_key: str
    queue_rank: int
    epochs: int
    parent: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageEntry:
    """A standing proposal of a stage: its round and the trial's point."""

    stage: int
    round: int
    trial: int
    params: str
    written: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """What a search's decisions need to know of one run.

    Attributes:
        token: Of its newest attempt; 0 before the first.
        until_epoch: Up to where it may be trained: the rung that it runs to or stands at, or all
            epochs. A run that was kept at a rung may go further than that.
        value: What it is ranked by, on validation at the selected epoch; None while there is none.
        grad_evals: Passes through the trunk over all epochs, the reproducible cost.
        others: What it is ranked by beside `value`, of several objectives; empty with one.
    """

    run: int
    trial: int
    params: str
    seed: int
    role: str
    state: RunState
    token: int
    until_epoch: int
    value: float | None
    grad_evals: int
    others: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of a run that is paused at a rung.

    Attributes:
        until_epoch: Up to where it goes on; None if it is pruned.
        pack_key: Of its next segment; a pruned run keeps its own.
        reason: Why it is pruned.
    """

    run: int
    token: int
    until_epoch: int | None = None
    pack_key: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The winner of a stage.

    Attributes:
        members: Hash of the points the stage had; a stage that grows is decided anew.
        baseline_hash: The baseline on which the value rests; empty if it needs none.
        objective: Name of what trials were ranked by.
    """

    stage: int
    params: str
    value: float
    members: str
    baseline_hash: str
    objective: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHistory:
    """All that happened in one search, in a fixed order."""

    entries: Sequence[StageEntry]
    outcomes: Sequence[RunOutcome]
    decisions: Sequence[Decision]


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineValue:
    """One metric of the baseline on one split; `params` is None for imported numbers."""

    task: str
    metric: str
    split: str
    value: float
    params: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The single-task numbers that delta_m is relative to."""

    hash: str
    source: str
    values: Sequence[BaselineValue]

    def on(self, split: str) -> dict[tuple[str, str], float]:
        """The values on a split, by task and metric."""
        return {(v.task, v.metric): v.value for v in self.values if v.split == split}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What runs are compared with: delta_m over all metrics, under the baseline in force."""

    baseline: Baseline
    delta_m: Objective
