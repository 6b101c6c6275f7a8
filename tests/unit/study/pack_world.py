"""Pack sizes of a study whose workers exist in the database only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from storage import Storage
from storage.records import Holder
from study.planning.engine import EngineChoice
from study.running.engine_state import EngineState
from study.running.pack_sizes import PackSizes
from study.running.worker_pool import WorkerState
from tests.unit.study.specs import a_plan, stored
from trainers.events import Calibrated, ShapeTimes
from trainers.jobs import Calibrate, Engine

GRID = {"weighting": "scalarization", "stages": [{"task_weights": {"simplex_step": 0.1}}]}
CPU, GPU = "a cpu", "a gpu"


class World:
    """Pack sizes of a study, with workers that exist in the database only.

    Args:
        engine: Of what may be stacked; None if a calibration is to choose it.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        engine: Engine | None = "fused",
        streamed: bool = False,
        device: str = "cpu",
        workers: int = 2,
        study: str = "tried",
        searches: Sequence[dict[str, Any]] = (GRID,),
        **training: Any,
    ) -> None:
        plan = a_plan(
            *searches, name=study, training={"epochs": 2, "batch_size": 8, "lr": 0.01, **training}
        )
        record = stored(plan, storage)
        self.storage, self.study_id, self.said = storage, record.id, list[str]()
        self.holder_id = storage.register_holder(
            Holder(host="here", boot_id="b", pid=1, process_start="0")
        )
        self.plan = plan
        self.engine = EngineState(plan, storage, record, device=device, say=self.said.append)
        self.engine.streamed, self.engine.undecided = streamed, engine is None
        if engine is not None:
            self.engine.fix(EngineChoice(engine, "by the test"))
        self.sizes = PackSizes(
            plan, storage, record.id, self.engine, workers=workers, say=self.said.append
        )

    def state(self, hardware: str = CPU) -> WorkerState:
        worker_id = self.storage.register_worker(
            study_id=self.study_id,
            holder_id=self.holder_id,
            pid=1,
            environment={},
            startup_s=0.0,
        )
        return WorkerState(worker_id, hardware)

    def calibrated(self, state: WorkerState | None = None, size: int = 18) -> WorkerState:
        state = state or self.state()
        wanted = self.sizes.to_measure(state)
        assert wanted is not None
        self.sizes.measured(state, answer(wanted, size))
        return state


def fallen(size: int, engine: Engine = "fused") -> WorkerState:
    """A worker with a pack of so many rows that has come to grief."""
    return WorkerState(1, rows=size, engine=engine)


def answer(wanted: Calibrate, size: int) -> Calibrated:
    shapes = [
        ShapeTimes(
            tasks=tasks,
            epoch_s=float(len(tasks)),
            run_step_ms={1: 1.0, size: 0.5, wanted.most: 0.6} if place == 0 else {1: 1.0},
            pack_size=size if place == 0 else 1,
        )
        for place, tasks in enumerate(wanted.shapes)
    ]
    return Calibrated(shapes=tuple(shapes), seconds=0.5)


def on_gpu(storage: Storage, engine: Engine | None = "fused", **options: Any) -> World:
    return World(storage, engine=engine, device="cuda", **options)


def rows_of(world: World) -> int | None:
    """As they are stored; each search that is stacked has the same."""
    found = world.storage.searches(world.study_id)
    (rows,) = {search.stack_rows for search in found if search.engine == "fused"}
    return rows
