"""Workers come to work and are registered, or die before; too many in a row end the study."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from study.drivers import Loss, WorkerLost
from study.errors import WorkersUnusable
from study.planning.budget import price_per_h
from study.planning.plan import Plan
from study.running.code_check import unread_note, worker_note
from study.running.engine_state import EngineState
from study.running.worker_pool import WorkerPool, WorkerState
from trainers.events import Ready
from trainers.hardware.environment import hardware_of
from trainers.worker.code import told_code

if TYPE_CHECKING:
    from storage import Storage

_MOST_STILLBORN = 10
_MOST_STUCK = 3


class Registration:
    """Takes workers that are ready into the pool, with the engines settled by what they found.

    Args:
        holder_id: This process, as a holder of leases.
        files: Folder of the study's files.
        say: Told what a user should know of their code, once.
    """

    def __init__(
        self,
        plan: Plan,
        storage: Storage,
        study_id: int,
        holder_id: int,
        pool: WorkerPool,
        engine: EngineState,
        *,
        files: str,
        say: Callable[[str], None],
    ) -> None:
        self._plan, self._storage, self._study_id = plan, storage, study_id
        self._holder_id, self._pool, self._engine = holder_id, pool, engine
        self._files, self._say = files, say
        self._told: set[str] = set()
        self._stillborn = 0  # workers in a row that ended before they were ready

    def ready(self, worker: int, message: Ready) -> None:
        """Take a worker into the pool.

        Raises:
            WorkersUnusable: As `EngineState.settle`.
            CodeChanged: It has loaded other code than this process, and the spec is strict.
        """
        code, environment = told_code(message.environment), message.environment
        if self._engine.settle(code.fingerprint, message.network):
            self._stillborn = 0
        price = price_per_h(self._plan.spec, environment["device"])
        self._say_once(worker_note(self._plan, code, host=environment.get("host", "?")))
        self._say_once(unread_note(self._plan, message.unread))
        worker_id = self._storage.register_worker(
            study_id=self._study_id,
            holder_id=self._holder_id,
            pid=self._pool.driver.pid(worker),
            environment=environment,
            startup_s=message.startup_s,
            price_per_h=price,
            files=self._files,
        )
        self._pool.workers[worker] = WorkerState(
            worker_id,
            hardware_of(environment),
            message.n_devices,
            price_per_h=price,
            code=code.fingerprint,
        )

    def never_ready(self, event: WorkerLost) -> None:
        """A worker has ended before it was ready.

        Raises:
            WorkersUnusable: It was one too many.
        """
        self._stillborn += 1
        if event.loss is Loss.STUCK and self._stillborn >= _MOST_STUCK:
            limit_s = self._plan.spec.training.open_limit_s
            raise WorkersUnusable(
                f"Workers must be ready to train within [training] `open_limit_s`, {limit_s:g} s. "
                f"{self._stillborn} in a row were not: loading the data or a first forward pass "
                "hangs, or needs longer. Try it alone, or raise the limit."
            )
        if self._stillborn >= _MOST_STILLBORN:
            raise WorkersUnusable(
                f"{self._stillborn} workers in a row ended before they could work. "
                f"The last: {event.reason}"
            )

    def _say_once(self, note: str) -> None:
        if note and note not in self._told:
            self._told.add(note)
            self._say(note)
