"""More runs for a made-up study, planned as a driver plans them: what a dashboard follows."""

from __future__ import annotations

import itertools

from search_spaces import canonical
from storage import Storage
from storage.records import NewRun, Proposal

_numbers = itertools.count(1)


def add_runs(storage: Storage, n: int, *, epochs: int = 20) -> None:
    """Plan n runs of new points in the study's first search."""
    (record,) = storage.studies()
    search = storage.searches(record.id)[0]
    points = [canonical({"lr": 2.0 + next(_numbers) * 1e-6}) for _ in range(n)]
    new = [Proposal(params=point, written=point, round=0) for point in points]
    storage.propose(search.id, stage=0, kind="random", tuned="lr", new=new)
    storage.add_runs(
        search.id,
        [
            NewRun(
                params=point,
                seed=0,
                role="search",
                run_key=f"more {point}",
                pack_key="more",
                queue_rank=0,
                epochs=epochs,
            )
            for point in points
        ],
    )
