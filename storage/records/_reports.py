"""What workers report of an attempt, and what became of the reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.states import RunState


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


PAIRINGS = ("tasks", "samples")
"""Which gradients are compared: of one sample by two tasks, or of one task by two samples."""
MEASURES = ("cosine", "negative_cosine", "magnitude", "opposite_signs")
"""By what, see `docs/reference/measures.md`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairStatistics:
    """One measure of how alike gradients were, over the pairs of an epoch of a run.

    Attributes:
        pairing: One of `PAIRINGS`.
        measure: One of `MEASURES`.
        n_pairs: Those with two gradients that are finite and not 0.
        n_left_out: The others.
        mean: None without pairs, as all that follows.
        sd: Over the pairs.
        low: 2.5th percentile.
        median: 50th percentile.
        high: 97.5th percentile.
        one_by_one: Whether gradients were taken one after the other.
    """

    pairing: str
    measure: str
    n_pairs: int
    n_left_out: int
    mean: float | None = None
    sd: float | None = None
    low: float | None = None
    median: float | None = None
    high: float | None = None
    one_by_one: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhibitRecord:
    """What a run shows beside its metrics.

    Attributes:
        round: Which time training has begun anew, from 1.
        split: What it is made of; those of ``test`` are not shown of a sealed study.
        each_epoch: It is kept of each epoch; else one of its name replaces that of earlier epochs
            of the same round.
        content: Its values as JSON, see `docs/reference/exhibits.md`.
    """

    name: str
    kind: str
    title: str
    split: str
    each_epoch: bool
    content: str
    round: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRecord:
    """One epoch of one run; `values` hold (split, task, metric, value).

    Attributes:
        conflicts: How alike gradients were, if they were compared.
        exhibits: What it shows beside its metrics; of one name and round the last.
        solo_s: What its training and validation would take alone, when it was trained in a pack.
        round: Which time training had begun anew, from 1; epochs are counted over all of them.
    """

    run: int
    token: int
    epoch: int
    values: Sequence[tuple[str, str, str, float]]
    spent: Spent
    solo_s: float | None = None
    peak_memory_bytes: int | None = None
    conflicts: Sequence[PairStatistics] = ()
    exhibits: Sequence[ExhibitRecord] = ()
    round: int = 1


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
class NetworkFile:
    """A run's network after `epoch` epochs.

    Attributes:
        path: Of the file, or its URL.
        sha256: Of the file's bytes, in hexadecimal.
    """

    epoch: int
    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkRecord:
    """Networks that are kept of a run; an earlier attempt's are not any more."""

    run: int
    token: int
    files: Sequence[NetworkFile]
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
        round: Of the epoch that diverged.
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
    round: int = 1


Report = EpochRecord | CheckpointRecord | NetworkRecord | Ending


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
class StoredNetwork:
    """A kept network of a run.

    Attributes:
        selected: The run's selected epoch; None while it has no score under the baseline in force.
    """

    run: int
    file: NetworkFile
    selected: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredExhibit:
    """What a run has shown at the end of an epoch.

    Attributes:
        round: Which time training had begun anew, from 1.
        split: What it is made of.
        content: Its values as JSON, see `docs/reference/exhibits.md`.
    """

    run: int
    round: int
    epoch: int
    name: str
    kind: str
    split: str
    title: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectedEpoch:
    """A finished run's selected epoch (MEASURES M4), with its network.

    Attributes:
        network: None if it is not kept.
    """

    run_key: str
    epoch: int
    network: NetworkFile | None
