"""Refuses searches whose trials could not be one population that is trained together.

A child goes on from its parent's network and optimiser at a rung, so that all members must share
what these are made of, and stand at the same rungs.
"""

from __future__ import annotations

from collections.abc import Sequence

from study.errors import BadSpec
from study.planning.optimisers import OF_OPTIMIZERS
from study.planning.search_plan import Stage
from study.spec.study_spec import StudySpec

_AT_ONCE = ("grid", "line", "random", "quasi-random")
_RULE = '`rule = "pbt"`'


def refuse_odd_populations(
    stages: Sequence[Stage], n_written: int, spec: StudySpec, place: str
) -> None:
    """Refuse what does not go with population-based training.

    Args:
        stages: Of one search.
        n_written: How many of them the spec has.

    Raises:
        BadSpec: The search has other stages, its points come in rounds, are fewer than two, have
            different optimisers or depend on each other, or its winner would be trained anew.
    """
    population = next((stage for stage in stages if stage.is_population), None)
    if population is not None:
        why = _told(population, n_written, spec)
        if why:
            raise BadSpec(f"{place}: {why}")


def _told(stage: Stage, n_stages: int, spec: StudySpec) -> str:
    """What does not fit, with the way out; empty if all does."""
    if n_stages > 1:
        return (
            f"a search with {_RULE} has one stage: what its best trial has come to is a schedule, "
            f"and a stage begins from one point. Got {n_stages} stages. Put all parameters into "
            "one, or fix them by `at` or `hyper`."
        )
    if stage.kind not in _AT_ONCE or stage.refine:
        found = "a line with `refine`" if stage.refine else stage.label.partition("+")[0]
        return (
            f"{_RULE} needs all trials at once: they are the population. Got {found}. Take "
            '`strategy = "random"` or "quasi-random" with `trials`, or a grid without `refine`.'
        )
    if stage.space.when or (strange := [n for n in OF_OPTIMIZERS if n in stage.tuned]):
        found = "`when`" if stage.space.when else ", ".join(f"`{name}`" for name in strange)
        return (
            f"with {_RULE} a trial goes on with the state of another one's optimiser, so all have "
            f"one optimiser and the same parameters. Got {found} in the stage. Drop it; write a "
            "search for each."
        )
    if stage.first_trials < 2:
        return (
            f"{_RULE} replaces the worst of a population by children of its best. Got one trial. "
            "Add points, eight or more."
        )
    if spec.confirm is not None:
        return (
            "[confirm] trains a search's best trials anew on fresh seeds, and a trial of "
            f"{_RULE} goes on from others' networks, which these seeds do not have. Got both. Drop "
            "[confirm]; more `seeds` train the whole population on each."
        )
    return ""
