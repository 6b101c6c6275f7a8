"""Whether a stage's points can be tried at all, said before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from search_spaces import Axis, Choices, Space, SpaceError, Value
from search_spaces.errors import TooManyPoints
from search_spaces.lines import midpoint, refinements
from study.outline import Stage
from trainers.weightings import Hyper

_MOST_POINTS = 100_000


def check_stage(stage: Stage, hypers: Sequence[Hyper], n_tasks: int) -> None:
    """Refuse points that no run could take.

    Raises:
        SpaceError: There are no points, too many, or none that can be refined.
        WeightingError: The weighting refuses a value of one of its hyperparameters.
    """
    space = stage.space
    if stage.kind in ("grid", "line"):
        space.grid()  # an empty or huge axis says so
        _refuse_too_many(space)
    else:
        space.random(1, key="")
    if stage.refine:
        (axis,) = space.axes.values()
        values = list(axis.points())
        refinements(values, values[0], outward=0)  # type: ignore[arg-type]
    rules = {hyper.name: hyper for hyper in hypers}
    for name, values_of in (*_samples(space.axes), *((n, [v]) for n, v in stage.at.items())):
        for value in values_of if name in rules else ():
            rules[name].checked(value, n_tasks)


def resting(hyper: Hyper, axis: Axis) -> Value | None:
    """Where a hyperparameter rests until it is tuned; None for its own default.

    Raises:
        SpaceError: The axis has no middle, and there is no default.
    """
    try:
        return midpoint(axis)
    except SpaceError:
        if hyper.default is None:
            raise
        return None


def _samples(axes: Mapping[str, Axis]) -> Iterable[tuple[str, Iterable[Value]]]:
    """All values that were written down, and the ends of what is computed."""
    for name, axis in axes.items():
        ends = (axis.from_unit((share,) * axis.dimensions) for share in (0.0, 1.0))
        yield name, axis.points() if isinstance(axis, Choices) else ends


def _refuse_too_many(space: Space) -> None:
    size = space.size or 0
    if size > _MOST_POINTS:
        axes = " x ".join(f"{axis.size} {name}" for name, axis in space.axes.items())
        raise TooManyPoints(
            f"A grid may have {_MOST_POINTS:,} points at most. Got {axes} = {size:,}. "
            'Take fewer values, or `strategy = "random"` with `trials`.'
        )
