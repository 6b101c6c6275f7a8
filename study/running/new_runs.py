"""The runs that a search's next step adds, with all that the queue must know of them."""

from __future__ import annotations

from collections.abc import Callable

from search_spaces.lineage import Origin
from storage.records import NewRun, StudyRecord
from study.deciding.advance import AddRuns
from study.deciding.trials import to_point
from study.planning.keys import frozen_of, run_key
from study.planning.packs import pack_key_of
from study.planning.plan import Plan
from study.planning.search_plan import Search

# Baseline first of all, last if nobody waits for it; then the search with most stages ahead.
_FIRST_RANK = 0
_RANKS = 1_000


def queue_rank(search: Search, step: AddRuns, *, baseline_first: bool) -> int:
    """Where runs stand in line; lower is trained first.

    Args:
        baseline_first: Whether others wait for the baseline.
    """
    if search.role == "baseline":
        return _FIRST_RANK if baseline_first else _RANKS
    return _RANKS - step.stages_left


def new_runs(
    plan: Plan,
    study: StudyRecord,
    search: Search,
    step: AddRuns,
    *,
    initial: Callable[[int], tuple[str, int] | None],
    rank: int,
) -> list[NewRun]:
    """Runs to be added; a child of a population goes on from its parent.

    Args:
        initial: A seed to key and epoch of the run from whose network its runs begin; None: from
            none.
    """
    until = step.first_rung or search.epochs_of(plan.training)
    found = []
    for params, seed in step.runs:
        point = to_point(params)
        origin = Origin.of(point)
        parent = None if origin is None else (origin.trial, origin.epoch)
        key = run_key(
            study=study.key_name,
            search=search.name,
            frozen=frozen_of(search, plan.frozen),
            weighting=search.weighting,
            params=params,
            seed=seed,
            initial=initial(seed),
        )
        first = 0 if origin is None else origin.epoch
        found.append(
            NewRun(
                params=params,
                seed=seed,
                role=step.role,
                run_key=key,
                pack_key=pack_key_of(plan, search, seed=seed, first=first, last=until, point=point),
                queue_rank=rank,
                epochs=until,
                parent=parent,
            )
        )
    return found
