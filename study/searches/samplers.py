"""Refuses samplers and pruners that could not be made, before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from study.errors import BadSpec
from study.planning.search_plan import Search, Stage
from study.spec.stopping import OptunaRule


def refuse_unmade(searches: Sequence[Search]) -> None:
    """Try each sampler and pruner of Optuna that a plan names; Optuna is loaded if there is one.

    Raises:
        BadSpec: There is none of that name, its options do not fit or fail, or a package is
            missing.
    """
    for search in searches:
        for number, stage in enumerate(search.stages, start=1):
            sampler = partial(_make_sampler, n_objectives=1 + len(search.others))
            for key, make in (("strategy", sampler), ("stop.rule", _make_pruner)):
                _try(f"[[search]] {search.name}, stage {number}, `{key}`", make, stage)


def _try(place: str, make: Callable[[Stage], None], stage: Stage) -> None:
    try:
        make(stage)
    except BadSpec as error:
        raise BadSpec(f"{place}: {error}") from error


def _make_sampler(stage: Stage, *, n_objectives: int) -> None:
    if stage.sampler:
        from study.searches.optuna_samplers import refuse_unusable

        refuse_unusable(stage.sampler, stage.options, n_objectives=n_objectives)


def _make_pruner(stage: Stage) -> None:
    if isinstance(stage.stop, OptunaRule):
        from study.searches.optuna_pruners import refuse_unusable

        refuse_unusable(stage.stop.rule, rungs=stage.stop.rungs)
