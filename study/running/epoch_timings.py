"""What an epoch of each search's runs takes alone: timed in turn, again and again through a study.

One step is not like another: of a weighting that needs each task's gradients it takes a multiple.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from storage.records import EpochTiming
from study.planning.optimisers import OF_OPTIMIZERS
from trainers.jobs import Job, TimeSteps

if TYPE_CHECKING:
    from storage import Storage
    from study.planning.plan import Plan
    from study.planning.search_plan import Search
    from study.running.pack_sizes import PackSizes
    from study.running.worker_pool import WorkerState
    from trainers.events import StepsTimed

_SWEEPS = 3
_SHARE = 0.01
"""What timing may take of the time of one worker; the first time comes on top."""
_LEAST_S = 3.0
"""What the first time may take in any case."""
_PAUSE_SHARE = 0.02
"""A pause lasts at least this share of the time so far: there is an end to what more tells."""
_PAUSE_S = 10.0


class EpochTimings:
    """Times the searches of one study whose runs share packs, and those that run beside them.

    The first worker of each hardware that is free times them at once, then whoever is free when it
    is time again. Without packs, a run's own time is what it takes alone.

    Args:
        searches: Ids by name.
        clock: In s.
    """

    def __init__(
        self,
        plan: Plan,
        storage: Storage,
        study_id: int,
        sizes: PackSizes,
        *,
        searches: Mapping[str, int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plan, self._storage, self._study_id = plan, storage, study_id
        self._sizes, self._searches, self._clock = sizes, searches, clock
        self._alike = alike(plan)
        self._timing: dict[int, str] = {}  # the hardware, by the worker that times
        self._next_s: dict[str, float] = {}  # by hardware
        names = {number: name for name, number in searches.items()}
        self._charges = {  # by hardware and search; they stay, however often a driver begins
            (hardware, names[search]): charged_s
            for (hardware, search), charged_s in storage.charges(study_id).items()
        }
        self._began_s = clock()

    def to_time(self, state: WorkerState) -> TimeSteps | None:
        """What a worker is to time before it is given its next pack; None: nothing."""
        training, wait_s = self._plan.training, self._next_s.get(state.hardware, 0.0)
        # a weighting is compiled for itself: minutes for seconds
        if training.compile or state.hardware in self._timing.values() or self._clock() < wait_s:
            return None
        known = [self._sizes.alone_s(state, of[0].name) for of in self._alike]
        longest_s = max((epoch_s for epoch_s in known if epoch_s is not None), default=0.0)
        if not longest_s or None in known:
            return None
        self._timing[state.worker_id] = state.hardware
        planned_s = self._plan.expected_epochs * longest_s
        return TimeSteps(
            problem=self._plan.problem,
            training=training,
            jobs=tuple(job_of(self._plan, of[0], number) for number, of in enumerate(self._alike)),
            sweeps=_SWEEPS,
            limit_s=max(_LEAST_S, _SHARE * planned_s),
        )

    def timed(self, state: WorkerState, message: StepsTimed) -> None:
        """Keep what a worker has timed; say when it is time again."""
        del self._timing[state.worker_id]
        found = [
            timing
            for sweep, times in enumerate(message.sweeps)
            for number, epoch_s in times.items()
            for search in self._alike[number]
            if (timing := self._timing_of(state, search, sweep, epoch_s)) is not None
        ]
        now_s = self._clock()
        pause_s = max(_PAUSE_S, message.seconds / _SHARE, _PAUSE_SHARE * (now_s - self._began_s))
        self._next_s[state.hardware] = now_s + pause_s if found else float("inf")
        self._storage.save_timings(
            found, study_id=self._study_id, worker_id=state.worker_id, seconds=message.seconds
        )

    def _timing_of(
        self, state: WorkerState, search: Search, sweep: int, epoch_s: float
    ) -> EpochTiming | None:
        """The record, by which is fixed what epochs of the search are charged with from now on."""
        key = state.hardware, search.name
        charged_s = self._charges.get(key) or self._sizes.alone_s(state, search.name)
        if not charged_s:
            return None
        self._charges[key] = charged_s
        number = self._searches[search.name]
        return EpochTiming(
            search_id=number,
            sweep=sweep,
            hardware=state.hardware,
            epoch_s=epoch_s,
            charged_s=charged_s,
        )

    def lost(self, state: WorkerState) -> None:
        """A worker has ended; what has ended it while it timed is not tried again."""
        if (hardware := self._timing.pop(state.worker_id, None)) is not None:
            self._next_s[hardware] = float("inf")

    def charged_s(self, state: WorkerState, search: str) -> float | None:
        """What an epoch of a search's run is charged with; None: what it takes.

        Runs outside of packs are charged by what was timed once it is: like those in packs, and
        not by what they take while others train beside them.
        """
        charged_s = self._charges.get((state.hardware, search))
        if charged_s is None and self._sizes.in_packs(search):
            return self._sizes.alone_s(state, search)
        return charged_s


def alike(plan: Plan) -> list[list[Search]]:
    """The searches of a plan, those together whose steps are the same."""
    found: dict[tuple[str, tuple[str, ...]], list[Search]] = {}
    for search in plan.searches:
        if search.followup is None and not search.trains_itself:
            found.setdefault((search.weighed_by, search.tasks), []).append(search)
    return list(found.values())


def job_of(plan: Plan, search: Search, number: int) -> Job:
    """A run of a search at its first point."""
    shared = {"lr", "weight_decay", *OF_OPTIMIZERS}
    return Job(
        run=number,
        token=0,
        weighting=search.weighed_by,
        tasks=search.tasks,
        lr=1e-3,
        hyper={name: value for name, value in search.anchors.items() if name not in shared},
        address="timing",
        folder=plan.problem.folder,
    )
