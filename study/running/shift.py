"""One driver process at work on one study: what the parts of a runner share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from storage import RunState
from study.drivers import Driver
from study.planning.plan import Plan
from study.running.crew import Crew
from study.running.faults import Faults
from trainers.events import NetworkFacts
from trainers.jobs import Engine

if TYPE_CHECKING:
    from storage import Storage


@dataclass(slots=True, kw_only=True)
class Shift:
    """The work and who does it.

    Attributes:
        holder_id: This process as a holder of leases.
        engine: Of all runs; None until the first worker has looked at the network.
        undecided: A calibration is to choose the engine.
        on_gpu: Stacks have a fixed number of rows.
        rows: That number, once it is fixed.
        unsaved: Why runs cannot be saved, by what a worker has found; empty if they can.
        looks: What was found of the network, by the fingerprint of the code that makes it.
        streamed: Data is decoded batch by batch, by what the last worker has found.
        stopping: Workers have been asked to save and release their packs, for good.
    """

    plan: Plan
    storage: Storage
    study_id: int
    driver: Driver
    holder_id: int
    faults: Faults
    crew: Crew = field(default_factory=Crew)
    engine: Engine | None = None
    undecided: bool = False
    on_gpu: bool = False
    rows: int | None = None
    unsaved: str = ""
    looks: dict[str, NetworkFacts] = field(default_factory=dict)
    streamed: bool = False
    stopping: bool = False

    @property
    def fused(self) -> bool:
        """Whether runs are stacked."""
        return self.engine == "fused"

    @property
    def packed(self) -> bool:
        """Whether runs are trained in packs: stacked, or in step to share the reading."""
        alone = self.plan.training.data_parallel == 1
        return self.fused or (self.engine == "solo" and self.streamed and alone)

    def states(self) -> dict[RunState, int]:
        """Runs of the study by state, those of other drivers included."""
        return dict(self.storage.totals(self.study_id).states)
