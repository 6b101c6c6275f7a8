"""How many runs go into a pack: by hand, or by a short calibration on the worker's hardware."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.records import Calibration
from storage.wording import counted
from study.deciding.progress import at_size
from study.planning.engine import chosen_by
from study.planning.packs import shapes_of
from trainers.jobs import Calibrate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from storage import Storage
    from study.planning.plan import Plan
    from study.running.engine_state import EngineState
    from study.running.worker_pool import WorkerState
    from trainers.events import Calibrated

MOST = 64
"""Largest stack that is tried: larger ones gain next to nothing, and fall together."""
MOST_ON_GPU = 1024
"""The same on a GPU, which computes hundreds of tiny networks in the time of one."""
MOST_IN_STEP = 16
"""The same of runs in step: these save nothing but reading, which is a sixteenth for each then."""
UNMEASURED = 8
"""Pack size where the calibration has failed."""

Tasks = tuple[str, ...]


class PackSizes:
    """Pack sizes of one study, and what an epoch of its runs would take alone.

    One worker calibrates for all of its hardware while the others wait, about a second; what it
    finds is kept in the database.

    Args:
        say: Told when packs become smaller.
    """

    def __init__(
        self,
        plan: Plan,
        storage: Storage,
        study_id: int,
        engine: EngineState,
        *,
        workers: int,
        say: Callable[[str], None],
    ) -> None:
        self._plan, self._storage, self._study_id = plan, storage, study_id
        self._engine, self._workers, self._say = engine, workers, say
        self._all = plan.card.task_names
        self._tasks = {search.name: search.tasks for search in plan.searches}
        self._known: dict[str, dict[Tasks, Calibration]] = {}
        self._calibrating: dict[int, str] = {}
        self._by_hand = plan.spec.training.pack_size
        self._limit = self._by_hand or MOST_ON_GPU

    @property
    def _most(self) -> int:
        """The largest pack to try."""
        undecided = self._engine.undecided
        if self._by_hand:
            return self._by_hand if undecided else 1
        most = MOST_IN_STEP
        if self._engine.fused or undecided:
            most = MOST_ON_GPU if self._engine.on_gpu else MOST
        return max(2, min(most, -(-self._plan.expected_runs // self._workers)))

    @property
    def _shapes(self) -> dict[Tasks, str]:
        return shapes_of(self._plan, self._engine.name or "fused")

    def to_measure(self, state: WorkerState) -> Calibrate | None:
        """What a worker is to time before it can be given packs; None: nothing."""
        needed = self._engine.packed or self._engine.undecided
        if not needed or state.hardware in self._known:
            return None
        self._known.setdefault(state.hardware, {})
        shapes = self._shapes
        stored = {
            tasks: self._storage.calibration(shape, state.hardware)
            for tasks, shape in shapes.items()
        }
        if self._suffices(stored):
            self._known[state.hardware] = {t: found for t, found in stored.items() if found}
            self._settle(state.hardware)
            return None
        self._calibrating[state.worker_id] = state.hardware
        training = self._plan.spec.training
        return Calibrate(
            problem=self._plan.problem,
            training=self._plan.training,
            shapes=tuple(shapes),
            most=self._most,
            engine=self._engine.name or "fused",
            memory_gib=training.pack_memory_gib,
            run_epochs=self._plan.expected_runs * training.epochs,
        )

    def _suffices(self, stored: Mapping[Tasks, Calibration | None]) -> bool:
        """Whether all is known, and larger packs than were tried are not asked for."""
        whole = stored[self._all]
        if whole is None or not all(stored.values()):
            return False
        return self._most <= max(whole.run_step_ms) or whole.pack_size < max(whole.run_step_ms)

    def measured(self, state: WorkerState, message: Calibrated) -> None:
        """Keep what a worker has measured."""
        hardware, shapes = self._calibrating.pop(state.worker_id), self._shapes
        found = [
            Calibration(
                shape=shapes[times.tasks],
                hardware=hardware,
                pack_size=times.pack_size,
                epoch_s=times.epoch_s,
                run_step_ms=times.run_step_ms,
            )
            for times in message.shapes
        ]
        self._known[hardware] = dict(zip((t.tasks for t in message.shapes), found, strict=True))
        self._storage.save_calibrations(
            found,
            study_id=self._study_id,
            worker_id=state.worker_id,
            seconds=message.seconds,
        )
        self._settle(hardware)
        if message.failure:
            self._say(f"Steps could not be timed ({message.failure}). Packs are of {UNMEASURED}.")

    def _settle(self, hardware: str) -> None:
        """Fix what the first calibration decides: an engine that has no rule, rows on a GPU."""
        engine, whole = self._engine, self._known[hardware].get(self._all)
        if engine.undecided:
            choice = chosen_by(whole.run_step_ms if whole else {}, hardware)
            engine.fix(choice)
            self._say(f"Runs are trained {engine.name}: {choice.reason}.")
        if engine.fused and engine.on_gpu and engine.rows is None:
            rows = self._by_hand or (whole.pack_size if whole else UNMEASURED)
            engine.fix_rows(max(2, rows))

    def waiting(self, state: WorkerState) -> bool:
        """Whether a worker is calibrating, of the same hardware or for all."""
        if self._engine.undecided:
            return bool(self._calibrating)
        return state.hardware in self._calibrating.values()

    def calibrates(self, state: WorkerState) -> bool:
        """Whether a worker times steps at the moment."""
        return state.worker_id in self._calibrating

    def relative_cost(self, size: float, *, than: float) -> float:
        """How many times that a run costs in packs of one size, compared to another."""
        whole = next((of[self._all] for of in self._known.values() if self._all in of), None)
        if whole is None:
            return 1.0
        most = min(self._limit, whole.pack_size)
        return at_size(whole.run_step_ms, min(size, most)) / at_size(whole.run_step_ms, than)

    def of(self, state: WorkerState) -> int:
        """Most runs of a pack for this worker."""
        if not self._engine.packed:
            return 1
        if self._by_hand or self._engine.rows:
            return min(self._limit, self._engine.rows or self._limit)
        whole = self._known[state.hardware].get(self._all)
        return min(self._limit, whole.pack_size if whole else UNMEASURED)

    def solo_s(self, state: WorkerState, search: str) -> float | None:
        """What an epoch of a run of a search would take alone; None if it is trained alone."""
        if not self._engine.packed:
            return None
        alone = self._known[state.hardware].get(self._tasks[search])
        return alone.epoch_s if alone else None

    def halve(self, size: int, why: str) -> None:
        """A pack of this size came to grief as a whole: from now on they are half as large.

        Args:
            size: Its runs, padding included.
        """
        if size <= 1 or size // 2 >= min(self._limit, self._engine.rows or self._limit):
            return
        self._limit = size // 2
        said = f"A pack of {size} runs {why}; packs have at most {self._limit} from now on."
        if self._engine.rows:
            self._engine.lower_rows(self._limit)
            said += " On a GPU their last bits depend on it: later runs round otherwise."
        self._say(said)

    def lost(self, state: WorkerState) -> None:
        """A worker has ended; what it was calibrating is measured by its successor, once."""
        hardware = self._calibrating.pop(state.worker_id, None)
        if hardware is None:
            return
        if self._limit > UNMEASURED:
            self._limit = UNMEASURED
            del self._known[hardware]
        else:
            self._settle(hardware)
        most = counted(self._limit, "run")
        self._say(f"A worker ended while it calibrated; packs have at most {most}.")
