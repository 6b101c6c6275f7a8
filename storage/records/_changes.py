"""What has changed in a study since it was last looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from storage.states import RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class RunChange:
    """A run that was added, moved, scored or given epochs, as it is now.

    Attributes:
        params: The trial's point as JSON, whole numbers whole.
        planned: Whether its trial stands in some stage.
        epochs: Epochs with recorded metrics.
        new_epochs: Whether some were written since; `storage.Reader.epochs` has their values.
        epoch_selected: Of a run that is done and has a score; None of others, as for both values.
        value_val: What it is ranked by, on validation at that epoch.
        value_test: The same on test; None of a sealed study.
    """

    run: int
    search: str
    role: str
    trial: int
    params: str
    seed: int
    state: RunState
    planned: bool
    epochs: int
    new_epochs: bool
    epoch_selected: int | None
    value_val: float | None
    value_test: float | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptChange:
    """An attempt that began, cost something or ended, as it is now.

    Attributes:
        run: None of a worker's start and of a calibration.
        worker: Who makes it; None where that is not recorded.
        failure: Class of what it failed for.
        device_s: Device-seconds of all phases.
        money: What they cost; None if the worker has no price.
    """

    attempt: int
    run: int | None
    kind: str
    state: str
    failure: str | None
    started: datetime
    ended: datetime | None
    epochs: int
    device_s: float
    money: float | None = None
    worker: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionChange:
    """A stage's winner that was decided, or that stands no more."""

    decision: int
    search: str
    stage: int
    trial: int
    value: float
    objective: str
    standing: bool
    decided: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What changed since a cursor, or a first part of it.

    Attributes:
        cursor: To ask with for what comes after. It also moves, with nothing else here, when a
            study's spec, proposals or baseline change.
        more: Whether more has changed already; ask at once.
        anew: Whether the cursor was of no use: the study was deleted and made anew, or the database
            is a copy. This then is the beginning of all there is, and what was known counts for
            nothing.
    """

    cursor: str
    more: bool = False
    anew: bool = False
    runs: Sequence[RunChange] = ()
    attempts: Sequence[AttemptChange] = ()
    decisions: Sequence[DecisionChange] = ()
