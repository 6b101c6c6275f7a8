"""From claimed runs to the pack that a worker trains."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from storage.records import Claim
from study.deciding.trials import to_point
from study.planning.function import as_listed
from study.planning.plan import Plan
from study.planning.search_plan import Search
from trainers.jobs import Checkpoint, Engine, Job, Pack
from trainers.keeping.paths import is_url


def pack_of(
    plan: Plan,
    searches: Mapping[str, Search],
    claims: Sequence[Claim],
    *,
    checkpoints: str,
    device: str,
    engine: Engine,
    rows: int | None,
    canaries: Mapping[int, float],
) -> Pack:
    """The pack of runs that were claimed together; they share a seed and a segment of epochs."""
    return Pack(
        problem=plan.problem,
        training=plan.training,
        seed=claims[0].seed,
        until_epoch=claims[0].until_epoch,
        jobs=tuple(_job(searches[claim.search], claim, plan.problem.folder) for claim in claims),
        device=device,
        engine=engine,
        rows=rows,
        checkpoints=checkpoints,
        checkpoint_s=plan.spec.training.checkpoint_s,
        canaries=canaries,
        waits_at_rung=any(_goes_on_at_once(searches[claim.search]) for claim in claims),
    )


def _goes_on_at_once(search: Search) -> bool:
    """Whether a run may be judged at a rung, and go on, as soon as it is there."""
    return search.role == "function" and search.asynchronous


class Canaries:
    """Chooses one run of each search's first pack, to be trained again alone."""

    def __init__(self, plan: Plan) -> None:
        self._expected = {
            search.name: search.expected_trials * len(plan.spec.seeds)
            for search in plan.searches
            if search.role != "function"
        }

    def of(self, claims: Sequence[Claim]) -> dict[int, float]:
        """The runs of a pack that are chosen, with the packs that their search will fill."""
        found: dict[int, float] = {}
        for claim in claims:
            if claim.search in self._expected and not claim.checkpoints:
                n_runs = sum(of.search == claim.search for of in claims)
                found[claim.run] = max(1.0, self._expected.pop(claim.search) / n_runs)
        return found


def _job(search: Search, claim: Claim, folder: str | None) -> Job:
    point = dict(to_point(claim.written))
    lr = weight_decay = 0.0
    if search.role == "function":
        point = as_listed(search, point)
    else:
        lr, weight_decay = float(point.pop("lr")), float(point.pop("weight_decay"))  # type: ignore[arg-type]
    return Job(
        run=claim.run,
        token=claim.token,
        weighting="ew" if search.role == "baseline" else search.weighting,
        tasks=search.tasks,
        lr=lr,
        weight_decay=weight_decay,
        hyper=point,
        address=claim.params,
        key=claim.key,
        recorded=claim.recorded,
        folder=folder,
        resume=tuple(
            Checkpoint(path=path, epoch=epoch)
            for path, epoch in claim.checkpoints
            # others were tidied away, or lie on another host; a URL is looked at by the worker
            if is_url(path) or os.path.exists(path)
        ),
    )
