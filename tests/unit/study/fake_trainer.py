"""A study in a database in memory, whose runs are trained by a formula."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from typing import Any

from storage import RunState, Storage
from storage.records import CheckpointRecord, Claim, Ending, EpochRecord, Holder, Spent
from study.deciding.breeding import born
from study.deciding.trials import to_point
from study.planning.plan import Plan
from study.running.conductor import Conductor
from study.running.packing import ends_early
from tests.unit.study.specs import stored

EPOCHS = 2
Levels = float | Mapping[str, float]
Level = Callable[[Claim, Mapping[str, Any]], Levels | RunState]


def smooth(claim: Claim, point: Mapping[str, Any]) -> float:
    """A metric that depends on the point and a little on the seed."""
    noise = random.Random(f"{claim.search} {claim.params} {claim.seed}").random()
    return 1.0 + abs(point["lr"] - 0.01) + 0.01 * point.get("temperature", 0.0) + 0.001 * noise


class FakeStudy:
    """One driver's view of a study: a conductor, and runs that end when they are told to.

    Attributes:
        level: A run and its point to the level of its metrics, by task if they differ, or to the
            state it ends in.
    """

    def __init__(self, plan: Plan, storage: Storage | None = None, level: Level = smooth) -> None:
        self.plan, self.level = plan, level
        self.storage = Storage(None) if storage is None else storage
        self.record = stored(plan, self.storage)
        holder = Holder(host="h", boot_id="b", pid=1, process_start="p")
        self._holder = self.storage.register_holder(holder)
        self._worker = self.storage.register_worker(
            study_id=self.record.id,
            holder_id=self._holder,
            pid=2,
            environment={},
            startup_s=0.0,
        )
        self.conductor = Conductor(plan, self.storage, self.record)

    def run(self, order: random.Random | None = None) -> FakeStudy:
        """Train until nothing is left; in a random order if one is given."""
        self.conductor.move()
        held: list[Claim] = []
        while True:
            held += self.claim()
            if not held:
                return self
            claim = held.pop(order.randrange(len(held)) if order else 0)
            self.end(claim)
            self.conductor.move([claim.run])

    def claim(self, n: int | None = None) -> list[Claim]:
        """Lease all that waits, or up to `n` runs."""
        found: list[Claim] = []
        while claims := self.storage.claim(
            self.record.id, holder_id=self._holder, worker_id=self._worker, n=n or 50, lease_s=60.0
        ).claims:
            found += claims
            if n is not None:
                break
        return found

    def end(self, claim: Claim) -> None:
        """Record a run's epochs and how it ended."""
        level = self.level(claim, json.loads(claim.params))
        state = level if isinstance(level, RunState) else self._reached(claim)
        epochs = [] if isinstance(level, RunState) else self._epochs(claim, level)
        ending = Ending(
            run=claim.run, token=claim.token, state=state, epoch=len(epochs), spent=Spent()
        )
        self.storage.record([*epochs, *self._saved(claim, state), ending])

    def _saved(self, claim: Claim, state: RunState) -> list[CheckpointRecord]:
        """What children of a population go on from."""
        if state is not RunState.PAUSED:
            return []
        path = f"run{claim.run}-epoch{claim.until_epoch}.pt"
        return [
            CheckpointRecord(
                run=claim.run,
                token=claim.token,
                epoch=claim.until_epoch,
                path=path,
                size_bytes=1,
                spent=Spent(),
            )
        ]

    def _epochs(self, claim: Claim, level: Levels) -> list[EpochRecord]:
        search = next(search for search in self.plan.searches if search.name == claim.search)
        of_task = level if isinstance(level, Mapping) else dict.fromkeys(search.tasks, level)
        return [
            EpochRecord(
                run=claim.run,
                token=claim.token,
                epoch=epoch,
                values=[
                    (split, task, metric, of_task[task] + shift + 0.1 * (epoch - 1))
                    for split, shift in (("validation", 0.0), ("test", 1.0))
                    for task, metric, _ in self.plan.metrics
                    if task in search.tasks
                ],
                spent=Spent(grad_evals=1),
            )
            for epoch in range(born(to_point(claim.params)) + 1, claim.until_epoch + 1)
        ]

    def _reached(self, claim: Claim) -> RunState:
        search = next(search for search in self.plan.searches if search.name == claim.search)
        whole = claim.until_epoch == search.epochs_of(self.plan.training)
        whole = whole or ends_early(self.plan, search, claim)
        return RunState.DONE if whole else RunState.PAUSED

    def history(self, search: str) -> Any:
        """All of a search but the numbers of its runs, which follow the order of claims."""
        ids = {record.name: record.id for record in self.storage.searches(self.record.id)}
        of = next(one for one in self.plan.searches if one.name == search)
        found = self.storage.history(ids[search], beside=of.beside)
        outcomes = [(o.params, o.seed, o.role, o.state, o.value, o.others) for o in found.outcomes]
        return found.entries, sorted(outcomes, key=repr), found.decisions
