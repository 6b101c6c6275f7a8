"""Points that a stage tries before all others, as they are written."""

from __future__ import annotations

from search_spaces import SpaceError, canonical
from study.errors import BadSpec
from study.planning.search_plan import Stage


def refuse_odd_firsts(stage: Stage, place: str) -> None:
    """Refuse points to begin with that are none of the stage's, or too many.

    Raises:
        BadSpec: One lacks a parameter, has one too many, has a value that its axis does not, or
            is there twice; or there are more than `trials`.
    """
    space, known = stage.space, set()
    for number, point in enumerate(stage.first, start=1):
        here = f"{place}, `first`, point {number}"
        wanted = [name for name in space.order if space.has(name, point)]
        if {*wanted} != {*point}:
            raise BadSpec(
                f"{here}: a point has a value of each parameter that is there. Got "
                f"{', '.join(point) or 'none'}, and there are {', '.join(wanted)}. Name them all."
            )
        for name, value in point.items():
            try:
                space.axes[name].to_unit(value)
            except SpaceError as error:
                raise BadSpec(
                    f"{here}: {name} = {value!r} is none of the stage's values: {error}"
                ) from error
        if (key := canonical(point)) in known:
            raise BadSpec(f"{here} is there before. Drop it.")
        known.add(key)
    if len(stage.first) > stage.trials:
        raise BadSpec(
            f"{place}: the points of `first` count among `trials`. Got {len(stage.first)} of "
            f"them, and trials = {stage.trials}. Raise `trials`."
        )
