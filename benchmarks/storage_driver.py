"""A driver that trains nothing: claims runs and completes them, ``... storage_driver URL PID``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from storage import RunState, Storage
from storage.records import Claim, Ending, EpochRecord, Holder, NewRun, Proposal, Spent

_TASKS = ("a", "b", "c")
_VALUES = (("train", "loss"), ("train", "weight"), ("validation", "error"), ("test", "error"))


def plan(url: str, n: int, *, study: str = "benchmark") -> None:
    """Make a study with n runs that wait."""
    storage = Storage(url)
    record = storage.save_study(
        name=study, spec={}, card={}, fingerprint="", searches=[("ew", "search", "ew")]
    )
    (search,) = storage.searches(record.id)
    points = [f'{{"lr": {number}}}' for number in range(n)]
    storage.propose(
        search.id,
        stage=0,
        kind="grid",
        tuned="lr",
        new=[Proposal(params=point, written=point, round=0) for point in points],
    )
    storage.add_runs(
        search.id,
        [
            NewRun(
                params=point,
                seed=0,
                role="search",
                run_key=f"{study}/{point}",
                pack_key="pack",
                queue_rank=0,
                epochs=20,
            )
            for point in points
        ],
    )
    storage.close()


class Driver:
    """One process with one worker on the newest study of a database."""

    def __init__(self, url: str, *, pid: int = 0) -> None:
        self._storage = Storage(url)
        self._study = self._storage.studies()[-1].id
        self._holder = self._storage.register_holder(
            Holder(host="here", boot_id="boot", pid=pid, process_start="0")
        )
        self._worker = self._storage.register_worker(
            study_id=self._study, holder_id=self._holder, pid=pid, environment={}, startup_s=0.0
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._storage.close()

    def claim(self, n: int) -> Sequence[Claim]:
        """Up to n runs."""
        return self._storage.claim(
            self._study, holder_id=self._holder, worker_id=self._worker, n=n, lease_s=600
        ).claims

    def complete(self, claims: Sequence[Claim]) -> None:
        """Record that these runs are done."""
        self._storage.record(
            [
                Ending(
                    run=claim.run,
                    token=claim.token,
                    state=RunState.DONE,
                    epoch=20,
                    spent=Spent(train_s=1.0),
                )
                for claim in claims
            ]
        )

    def record_epochs(self, claims: Sequence[Claim], epoch: int) -> int:
        """Record one epoch of each run; returns how many values that were."""
        spent = Spent(train_s=0.5, validation_s=0.25, samples=1_000, grad_evals=10)
        values = [(split, task, metric, 0.5) for task in _TASKS for split, metric in _VALUES]
        self._storage.record(
            [
                EpochRecord(
                    run=claim.run, token=claim.token, epoch=epoch, values=values, spent=spent
                )
                for claim in claims
            ]
        )
        return len(claims) * len(values)


def main(url: str, pid: int) -> None:
    count = 0
    with Driver(url, pid=pid) as driver:
        print("ready", flush=True)
        sys.stdin.readline()
        while claims := driver.claim(1):
            driver.complete(claims)
            count += len(claims)
    print(count)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
