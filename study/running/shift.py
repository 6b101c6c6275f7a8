"""One driver process at work on one study: what the parts of a runner share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage import RunState
from study.planning.plan import Plan
from study.running.engine_state import EngineState
from study.running.failure_policy import FailurePolicy
from study.running.worker_pool import WorkerPool

if TYPE_CHECKING:
    from storage import Storage


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """The work and who does it; each part keeps its own state.

    Attributes:
        holder_id: This process as a holder of leases.
    """

    plan: Plan
    storage: Storage
    study_id: int
    holder_id: int
    failures: FailurePolicy
    pool: WorkerPool
    engine: EngineState

    def states(self) -> dict[RunState, int]:
        """Runs of the study by state, those of other drivers included."""
        return dict(self.storage.totals(self.study_id).states)
