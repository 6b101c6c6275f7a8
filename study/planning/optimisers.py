"""The optimiser as an axis of a search: which may be tried, and what a point makes of training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from typing import Any, Final

from search_spaces import Axis, Choices, Point, Value, canonical
from search_spaces.variants import parameter_of
from study.errors import BadSpec
from study.planning.search_plan import Stage
from trainers.jobs import Training
from trainers.optimizers import BUILT_IN, WITHOUT_MOMENTUM, optimizer
from trainers.weightings import Weighting

OPTIMIZER: Final = "optimizer"
MOMENTUM: Final = "momentum"
OF_OPTIMIZERS: Final = (OPTIMIZER, MOMENTUM)
"""Keys of [training] that a search may tune."""


def training_of(training: Training, point: Point, folder: str | None) -> Training:
    """What the runs of a point's pack share.

    Args:
        training: The study's.
        folder: Where an optimiser of the user's own may lie.
    """
    found: dict[str, Any] = {name: point[name] for name in OF_OPTIMIZERS if name in point}
    if not found:
        return training
    own = ":" in found.get(OPTIMIZER, training.optimizer)
    return replace(training, **found, folder=folder if own else None)


def of_optimizer(point: Point) -> tuple[str, ...]:
    """What tells packs of a search apart: optimiser and momentum, if they are parameters."""
    return tuple(canonical({name: point[name]}) for name in OF_OPTIMIZERS if name in point)


def tried_by(stages: Sequence[Stage]) -> tuple[str, ...]:
    """The optimisers that stages name; none where trials have that of [training]."""
    return tuple(dict.fromkeys(str(value) for value in _tried(stages, OPTIMIZER)))


def homes(stages: Sequence[Stage], folder: str | None) -> list[str]:
    """The modules of optimisers that are not built in."""
    names = {str(value) for value in _tried(stages, OPTIMIZER)} - {*BUILT_IN}
    return sorted(type(optimizer(name, folder)).__module__ for name in names)


def refuse_odd_optimizers(
    stages: Sequence[Stage], method: Weighting, training: Training, folder: str | None, place: str
) -> None:
    """Refuse optimisers, momenta and conditions that some run could not be trained with.

    Raises:
        BadSpec: One is no name or no momentum, or some run has no value of a parameter.
        TrainingError: An optimiser is unknown, or does not fit the weighting.
    """
    for value in _tried(stages, OPTIMIZER):
        if not isinstance(value, str):
            raise BadSpec(
                f"{place}: `optimizer` is a name, or a list of names. Got {value!r}. "
                'Write `optimizer = ["sgd", "adam"]`.'
            )
        if value not in BUILT_IN:
            optimizer(value, folder)
        method.refuse_unless_fit("solo", training_of(training, {OPTIMIZER: value}, folder))
    for value in _tried(stages, MOMENTUM):
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
            raise BadSpec(
                f"{place}: `momentum` must be a number from 0 to below 1. Got {value!r}. "
                "Correct it."
            )
    so_far: set[str] = set()
    for stage in stages:
        _refuse_gaps(stage, place)
        names = {*map(str, _tried([stage], OPTIMIZER))} or so_far or {training.optimizer}
        _refuse_idle_momenta(stage, names, place)
        so_far |= names


def _tried(stages: Sequence[Stage], parameter: str) -> Iterator[Value]:
    for stage in stages:
        if parameter in stage.at:
            yield stage.at[parameter]
        for axis in stage.axes_of(parameter):
            yield from _values(axis)


def _values(axis: Axis) -> Iterator[Value]:
    """All values that are listed, or both ends."""
    if isinstance(axis, Choices):
        yield from axis.values
    else:
        yield from (axis.from_unit((share,) * axis.dimensions) for share in (0.0, 1.0))


def _refuse_idle_momenta(stage: Stage, names: Set[str], place: str) -> None:
    """Refuse momenta of optimisers that ignore them: the same run would be trained for each.

    Args:
        names: Optimisers that the stage's runs may have.
    """
    found: set[str] = set()
    for name in stage.space.axes:
        if parameter_of(name) == MOMENTUM:
            when = stage.space.when.get(name)
            found |= names if when is None else {*map(str, when[OPTIMIZER])}  # type: ignore[arg-type]
    if idle := sorted(found & WITHOUT_MOMENTUM):
        raise BadSpec(
            f"{place}: {', '.join(sorted(WITHOUT_MOMENTUM))} ignore `momentum`, and the same run "
            f"would be trained for each of its values. Got it tuned with {', '.join(idle)}. Drop "
            "it, or tune it beside `optimizer` and where one holds that goes by it: "
            '`momentum = { line = [0.0, 0.9], when = { optimizer = "sgd" } }`.'
        )


def _refuse_gaps(stage: Stage, place: str) -> None:
    """Refuse conditions by which a run would lack what every run has."""
    met: dict[str, set[str]] = {}
    for name, table in stage.space.when.items():
        if [*table] != [OPTIMIZER]:
            raise BadSpec(
                f"{place}: `when` goes with a training function; in a study of a problem it names "
                f"the `optimizer` alone. Got `{name}` with {', '.join(table)}. Drop it, or write "
                "two searches."
            )
        met.setdefault(parameter_of(name), set()).update(map(str, table[OPTIMIZER]))  # type: ignore[arg-type]
    for parameter, names in met.items():
        left = [v for v in _values(stage.space.axes[OPTIMIZER]) if v not in names]
        if left and parameter != MOMENTUM:
            raise BadSpec(
                f"{place}: every run of a problem has a value of `{parameter}`. Got none for the "
                f"optimizer {', '.join(map(str, left))}. Add `{parameter}@{left[0]}` with "
                f'when = {{ optimizer = "{left[0]}" }}.'
            )
