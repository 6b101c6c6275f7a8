"""What happened to runs, attempt by attempt, and with which code of the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCosts:
    """What all attempts at a run have used, beside device time and epochs.

    Attributes:
        energy_j: None where no device has a meter.
        money: None where no device has a price.
        peak_memory_bytes: The most that an attempt has held; None where that is not known.
    """

    samples: int
    grad_evals: int
    flops: float
    energy_j: float | None
    money: float | None
    peak_memory_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRound:
    """One round of a run: what was trained until training began anew, or ended."""

    run: int
    round: int
    first_epoch: int
    last_epoch: int
    train_s: float
    validation_s: float
    grad_evals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedWith:
    """The user's own code as some runs were trained with it.

    Attributes:
        modules: Dotted name to the hash of the source.
        runs: How many runs have epochs by it.
    """

    fingerprint: str
    modules: Mapping[str, str]
    runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLog:
    """One attempt at a run.

    Attributes:
        key: Of the run; files of its own are named by it.
        reason: What the run has ended with, of its last attempt; see `failure_text` of others.
        detail: Traceback of a failure.
        files: Folder of the study's files, as its worker had it; empty if it is not known.
    """

    run: int
    key: str
    search: str
    trial: int
    params: str
    seed: int
    run_state: str
    reason: str
    token: int
    state: str
    failure: str | None
    failure_text: str | None
    detail: str
    started: datetime
    ended: datetime | None
    epochs: int
    host: str | None
    files: str
    code_fingerprint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Attempts of one search that failed for one cause, with the last of them."""

    attempts: int
    runs: int
    last: AttemptLog
