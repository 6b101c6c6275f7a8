"""The facts that cross storage's border: frozen values, no database rows.

Times are seconds; `params` is canonical JSON, so that equal points are equal texts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from storage.states import RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRecord:
    """A study as stored.

    Attributes:
        spec: The study's spec as plain values.
        card: The problem's card as plain values.
        fingerprint: Hash of what an extension must not change.
        engine: ``solo`` or ``fused``, fixed before the first run; None until then.
        engine_reason: Why it is that one.
    """

    id: int
    name: str
    spec: Mapping[str, Any]
    card: Mapping[str, Any]
    fingerprint: str
    created_at: datetime
    engine: Literal["solo", "fused"] | None = None
    engine_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What was measured of one shape of network on one kind of hardware.

    Attributes:
        shape: Hash of what decides a training step's time: problem, network, tasks, batch size...
        pack_size: Most runs that are trained together.
        epoch_s: Training and validation of one epoch of one run alone.
        run_step_ms: Pack size -> time of a training step divided by the runs in the pack; 1 is
            one run alone.
    """

    shape: str
    hardware: str
    pack_size: int
    epoch_s: float
    run_step_ms: Mapping[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRecord:
    """One search of a study; `role` is ``baseline`` for single-task ones."""

    id: int
    name: str
    role: str
    weighting: str
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A point that a stage tries.

    Attributes:
        round: Which round of the stage proposed it, from 0.
    """

    params: str
    round: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run to be added: a trial x a seed.

    Attributes:
        epochs: Up to which it is trained now: its first rung, or all of them.
    """

    params: str
    seed: int
    role: str
    run_key: str
    pack_key: str
    queue_rank: int
    epochs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """What a search's decisions need to know of one run.

    Attributes:
        token: Of its newest attempt; 0 before the first.
        until_epoch: Up to where it may be trained: the rung that it runs to or stands at, or all
            epochs. A run that was kept at a rung may go further than that.
        value: Validation delta_m at the selected epoch, or the primary metric of a
            single-task run; None while there is none.
        grad_evals: Passes through the trunk over all epochs, the reproducible cost.
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
class StageEntry:
    """A standing proposal of a stage: its round and the trial's point."""

    stage: int
    round: int
    trial: int
    params: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The winner of a stage.

    Attributes:
        members: Hash of the points the stage had; a stage that grows is decided anew.
        baseline_hash: The baseline by which delta_m was computed.
    """

    stage: int
    params: str
    value: float
    members: str
    baseline_hash: str


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A leased run with all a worker must know of it.

    Attributes:
        until_epoch: Up to where it is to be trained: its next rung, or all epochs.
        checkpoints: Paths and epochs to go on from, newest first; empty to begin.
    """

    run: int
    token: int
    attempt: int
    search: str
    role: str
    weighting: str
    params: str
    seed: int
    until_epoch: int
    checkpoints: Sequence[tuple[str, int]]

    @property
    def epochs_left(self) -> int:
        """Epochs of this attempt, if it goes on from its newest checkpoint."""
        return self.until_epoch - (self.checkpoints[0][1] if self.checkpoints else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What a claim brought, and what kept it from more.

    Attributes:
        exhausted: The study's limit that refused a run: ``epochs``, ``device_s`` or ``money``;
            empty if none did.
        barred: Searches that were passed over, with the limit of theirs that refused a run.
    """

    claims: Sequence[Claim] = ()
    exhausted: str = ""
    barred: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Cost of a stretch of an attempt, by phase.

    Attributes:
        flops: Floating-point operations, estimated.
        energy_j: None where it is not measured.
    """

    startup_s: float = 0.0
    train_s: float = 0.0
    validation_s: float = 0.0
    test_s: float = 0.0
    checkpoint_s: float = 0.0
    diagnostics_s: float = 0.0
    samples: int = 0
    grad_evals: int = 0
    flops: float = 0.0
    energy_j: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRecord:
    """One epoch of one run; `values` hold (split, task, metric, value).

    Attributes:
        solo_s: What its training and validation would take alone, when it was trained in a pack.
    """

    run: int
    token: int
    epoch: int
    values: Sequence[tuple[str, str, str, float]]
    spent: Spent
    solo_s: float | None = None
    peak_memory_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointRecord:
    """A file from which a run can go on."""

    run: int
    token: int
    epoch: int
    path: str
    size_bytes: int
    spent: Spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The end of an attempt.

    Attributes:
        state: Where the run goes: done, diverged, paused, failed, or waiting (released).
        epoch: Last epoch with good values.
        failure: Class of a failure, such as the exception's name; of a run that goes back to the
            queue, too.
        failure_key: Equal for failures of one cause: a hash of the traceback.
        solo_s: Of the epoch that diverged, as in `EpochRecord`.
    """

    run: int
    token: int
    state: RunState
    epoch: int
    spent: Spent
    solo_s: float | None = None
    reason: str = ""
    failure: str | None = None
    failure_key: str | None = None
    detail: str = ""
    peak_memory_bytes: int | None = None


Report = EpochRecord | CheckpointRecord | Ending


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A report that was refused: its token is stale, the run belongs to another attempt."""

    run: int
    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """An epoch that came out otherwise than in an earlier attempt at the same run."""

    run: int
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What became of a batch of reports; what is in neither list was written and is as before."""

    rejected: Sequence[Rejected] = ()
    mismatches: Sequence[Mismatch] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointFile:
    """A stored checkpoint of one run; members of a pack may share a file."""

    path: str
    size_bytes: int
    run: int
    state: RunState
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A driver that holds leases: a process that can be told alive or dead on its own host."""

    host: str
    boot_id: str
    pid: int
    process_start: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchStatus:
    """How a search's runs stand, and what all their attempts have cost.

    Attributes:
        money: None if no attempt has a price.
    """

    search: str
    states: Mapping[RunState, int]
    device_s: float
    money: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BadEnding:
    """A run that failed or diverged; `epochs` are those with good values."""

    search: str
    trial: int
    params: str
    seed: int
    state: RunState
    epochs: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What a study has spent on all attempts, and how its runs stand.

    Attributes:
        money: None if no attempt has a price.
    """

    states: Mapping[RunState, int]
    device_s: float
    money: float | None
    epochs: int
    trials: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGroup:
    """Runs of one search that stand as failed, all for one cause."""

    search: str
    failure_key: str | None
    failure: str | None
    runs: int
