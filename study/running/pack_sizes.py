"""How many runs go into a pack: by hand, or by a short calibration on the worker's hardware."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.records import Calibration
from storage.wording import counted
from study.deciding.progress import at_size
from study.deciding.trials import to_point
from study.planning.engine import chosen_by
from study.planning.optimisers import OPTIMIZER, training_of, tried_by
from study.planning.packs import shapes_of
from trainers.jobs import Calibrate, Engine

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
_Kind = tuple[str, Engine, str]
"""Hardware, the engine whose packs are sized for it, and the optimiser of the runs in them."""


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
        self._unpacked = {search.name for search in plan.searches if search.alone}
        self._own = plan.training.optimizer
        self._tried = {search.name: tried_by(search.stages) for search in plan.searches}
        self._known: dict[_Kind, dict[Tasks, Calibration]] = {}
        self._calibrating: dict[int, _Kind] = {}
        self._by_hand = plan.spec.training.pack_size
        limit = self._by_hand or MOST_ON_GPU
        self._limits: dict[Engine, int] = {"solo": limit, "fused": limit}

    def _most(self, engine: Engine) -> int:
        """The largest pack to try."""
        if self._by_hand:
            return self._by_hand if self._engine.undecided else 1
        most = MOST_IN_STEP
        if engine == "fused":
            most = MOST_ON_GPU if self._engine.on_gpu else MOST
        return max(2, min(most, -(-self._plan.expected_runs // self._workers)))

    def to_measure(self, state: WorkerState) -> Calibrate | None:
        """What a worker is to time before it can be given packs; None: nothing."""
        if self._engine.undecided:
            return self._to_measure((state.hardware, "fused", self._own), state)
        engines = {engine for name in self._tasks if (engine := self._packed(name)) is not None}
        kinds = (kind for engine in sorted(engines) for kind in self._kinds(state.hardware, engine))
        found = (self._to_measure(kind, state) for kind in kinds)
        return next(filter(None, found), None)

    def _kinds(self, hardware: str, engine: Engine) -> list[_Kind]:
        """What packs of an engine are sized for: each optimiser, that of [training] first.

        That one is timed in any case: by it is told what runs take alone.
        """
        others = {
            name
            for search, tried in self._tried.items()
            if self._packed(search) == engine and not self._by_hand
            for name in tried
        }
        names = [self._own, *sorted(others - {self._own})]
        return [(hardware, engine, name) for name in names]

    def _to_measure(self, kind: _Kind, state: WorkerState) -> Calibrate | None:
        """The same for packs of one kind."""
        _, engine, optimizer = kind
        if kind in self._known:
            return None
        self._known[kind] = {}
        shapes = shapes_of(self._plan, engine, optimizer=optimizer)
        stored = {
            tasks: self._storage.calibration(shape, state.hardware)
            for tasks, shape in shapes.items()
        }
        if self._suffices(stored, self._most(engine)):
            self._known[kind] = {t: found for t, found in stored.items() if found}
            self._settle(kind)
            return None
        self._calibrating[state.worker_id] = kind
        training, problem = self._plan.spec.training, self._plan.problem
        return Calibrate(
            problem=problem,
            training=self._plan.training
            if optimizer == self._own
            else training_of(self._plan.training, {OPTIMIZER: optimizer}, problem.folder),
            shapes=tuple(shapes),
            most=self._most(engine),
            engine=engine,
            memory_gib=training.pack_memory_gib,
            run_epochs=self._plan.expected_epochs,
        )

    def _suffices(self, stored: Mapping[Tasks, Calibration | None], most: int) -> bool:
        """Whether all is known, and larger packs than were tried are not asked for."""
        whole = stored[self._all]
        if whole is None or not all(stored.values()):
            return False
        return most <= max(whole.run_step_ms) or whole.pack_size < max(whole.run_step_ms)

    def measured(self, state: WorkerState, message: Calibrated) -> None:
        """Keep what a worker has measured."""
        kind = hardware, engine, optimizer = self._calibrating.pop(state.worker_id)
        shapes = shapes_of(self._plan, engine, optimizer=optimizer)
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
        self._known[kind] = dict(zip((t.tasks for t in message.shapes), found, strict=True))
        self._storage.save_calibrations(
            found,
            study_id=self._study_id,
            worker_id=state.worker_id,
            seconds=message.seconds,
        )
        self._settle(kind)
        if message.failure:
            self._say(f"Steps could not be timed ({message.failure}). Packs are of {UNMEASURED}.")

    def _settle(self, kind: _Kind) -> None:
        """Fix what the first calibration decides: an engine that has no rule, rows on a GPU."""
        whole, (hardware, engine, _) = self._known[kind].get(self._all), kind
        if self._engine.undecided:
            choice = chosen_by(whole.run_step_ms if whole else {}, hardware)
            self._engine.fix(choice)  # or another driver has, before
            engine = "fused" if "fused" in self._engine.in_use else "solo"
            self._say(f"Runs are trained {engine}: {choice.reason}.")
        if engine == "fused" and self._engine.on_gpu and self._engine.rows(engine) is None:
            self._settle_rows(hardware, engine)

    def _settle_rows(self, hardware: str, engine: Engine) -> None:
        """Fix the rows of stacks once all optimisers are timed: they must fit with each."""
        kinds = self._kinds(hardware, engine)
        if any(kind not in self._known or kind in self._calibrating.values() for kind in kinds):
            return
        sizes = [
            whole.pack_size if (whole := self._known[kind].get(self._all)) else UNMEASURED
            for kind in kinds
        ]
        self._engine.fix_rows(max(2, self._by_hand or min(sizes)))

    def waiting(self, state: WorkerState) -> bool:
        """Whether a worker is calibrating, of the same hardware or for all."""
        if self._engine.undecided:
            return bool(self._calibrating)
        return state.hardware in {hardware for hardware, *_ in self._calibrating.values()}

    def relative_cost(self, size: float, *, than: float) -> float:
        """How many times that a run costs in packs of one size, compared to another."""
        timed = ((k, of[self._all]) for k, of in self._known.items() if self._all in of)
        for (_, engine, _), whole in timed:
            size = min(size, self._limits[engine], whole.pack_size)
            return at_size(whole.run_step_ms, size) / at_size(whole.run_step_ms, than)
        return 1.0

    def most(self, state: WorkerState) -> Callable[[int, str], int]:
        """Most runs of a pack for this worker, by the search and the point of the first one."""
        names = {of.id: of.name for of in self._engine.searches}

        def of_first(search: int, written: str) -> int:
            name = names[search]
            tunes = self._tried[name]
            optimizer = to_point(written).get(OPTIMIZER, self._own) if tunes else self._own
            return self.of(state, name, optimizer=str(optimizer))

        return of_first

    def of(self, state: WorkerState, search: str, *, optimizer: str | None = None) -> int:
        """Most runs of a pack for this worker, if one of this search is first in line.

        Args:
            optimizer: Of that run; None for that of [training].
        """
        engine = self._packed(search)
        if engine is None:
            return 1
        if self._by_hand or self._engine.rows(engine):
            return self._limit(engine)
        whole = self._known[state.hardware, engine, optimizer or self._own].get(self._all)
        return min(self._limit(engine), whole.pack_size if whole else UNMEASURED)

    def in_packs(self, search: str) -> bool:
        """Whether runs of a search are trained in packs."""
        return self._packed(search) is not None

    def alone_s(self, state: WorkerState, search: str) -> float | None:
        """What an epoch of a search's network takes alone by equal weighting; None: unknown.

        It is known where some search's runs are trained in packs.
        """
        engine, tasks = self._packed(search), self._tasks[search]
        mine = (state.hardware, engine, self._own) if engine is not None else None
        own = self._known.get(mine, {}) if mine is not None else {}
        others = (
            of
            for (hardware, _, optimizer), of in self._known.items()
            if (hardware, optimizer) == (state.hardware, self._own)
        )
        alone = next((of[tasks] for of in (own, *others) if tasks in of), None)
        return None if alone is None else alone.epoch_s

    def halve(self, state: WorkerState, why: str) -> None:
        """A worker's pack came to grief as a whole: its engine's are half as large from now on."""
        size, engine = state.rows, state.engine
        half = size // 2
        if size <= 1 or half >= self._limit(engine):
            return
        self._limits[engine] = half
        said = f"A pack of {size} runs {why}; packs have at most {half} from now on."
        if self._engine.rows(engine):
            self._engine.lower_rows(half)
            said += " On a GPU their last bits depend on it: later runs round otherwise."
        self._say(said)

    def lost(self, state: WorkerState) -> None:
        """A worker has ended; what it was calibrating is measured by its successor, once."""
        kind = self._calibrating.pop(state.worker_id, None)
        if kind is None:
            return
        _, engine, _ = kind
        if self._limits[engine] > UNMEASURED:
            self._limits[engine] = UNMEASURED
            del self._known[kind]
        else:
            self._settle(kind)
        most = counted(self._limits[engine], "run")
        self._say(f"A worker ended while it calibrated; packs have at most {most}.")

    def _packed(self, search: str) -> Engine | None:
        """The engine by which runs of a search are trained in packs; None: they are not."""
        engine = None if search in self._unpacked else self._engine.of(search)
        return engine if engine is not None and self._engine.packed(engine) else None

    def _limit(self, engine: Engine) -> int:
        """Most runs of an engine's packs, by hand or after what came to grief."""
        limit = self._limits[engine]
        return min(limit, self._engine.rows(engine) or limit)
