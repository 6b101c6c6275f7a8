"""From the tables of `stages` to stages of weightings and training functions alike.

What no run could take is refused here, before anything is trained.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from typing import Any

from search_spaces import (
    Axis,
    Choices,
    Space,
    SpaceError,
    Value,
    canonical,
    space_from_plain,
)
from search_spaces.errors import TooManyPoints
from search_spaces.lines import midpoint, refinements
from search_spaces.variants import parameter_of
from study.errors import BadSpec
from study.planning.search_plan import Search, Stage
from study.spec.search import SearchSpec
from study.spec.stage import OPTIONS, ROUND_SIZE, OptunaStrategy, StageSpec
from trainers.suggestions import did_you_mean
from trainers.weightings import Hyper

CLOSING = Stage(kind="neighbours", space=Space({}))

_MOST_POINTS = 100_000
_LONGEST_POINT = 2_500
"""Characters: what PostgreSQL finds again by an index."""
_LONGEST_NUMBER = 25


def stages_of(
    part: SearchSpec,
    *,
    tunable: Set[str],
    hypers: Sequence[Hyper],
    n_tasks: int,
    place: str,
) -> list[Stage]:
    """The stages of a search as they are written; one of all with ``joint``.

    Args:
        tunable: Names of the parameters that may be tuned.
        hypers: Hyperparameters with rules of their own.

    Raises:
        BadSpec: A table names what cannot be tuned, or does not go with the others.
        SpaceError: An axis does not, or has no points.
        WeightingError: A weighting refuses a value.
    """
    for number, table in enumerate(part.stages, start=1):
        stage = f"{place}, stage {number}"
        variants = [name for name, axis in table.axes.items() if _hangs(axis)]
        _refuse_unknown(table.axes, tunable, variants, OPTIONS, stage)
        _refuse_unknown(table.at, tunable, (), (), f"{stage}, `at`")
    stages = [_stage(table, n_tasks) for table in part.stages]
    for number, one in enumerate(stages, start=1):
        _refuse_odd_firsts(one, f"{place}, stage {number}")
    _check_stages(stages, hypers, n_tasks, place)
    return [_joined(stages, place)] if part.joint else stages


def _hangs(axis: object) -> bool:
    """Whether an axis, as it is written, depends on another parameter."""
    return isinstance(axis, Mapping) and "when" in axis


def _refuse_unknown(
    names: Iterable[str],
    tunable: Set[str],
    variants: Collection[str],
    options: Sequence[str],
    place: str,
) -> None:
    """Refuse names of no parameter; those with a condition may be variants of one."""
    allowed = [*sorted(tunable), *options]
    for name in names:
        parameter = parameter_of(name)
        if name in allowed or (name in variants and parameter in tunable):
            continue
        if parameter in tunable:
            raise BadSpec(
                f"{place}: a variant of `{parameter}` is tuned where a condition holds. Got "
                f"`{name}` without one. Write `{parameter}`, or give the variant its condition in "
                'a stage, as in `when = { optimizer = "sgd" }`.'
            )
        raise BadSpec(
            f"{place}: unknown key `{name}`.{did_you_mean(name, allowed)} "
            f"Allowed: {', '.join(allowed)}."
        )


def _stage(table: StageSpec, n_tasks: int) -> Stage:
    if table.kind == "neighbours":
        return CLOSING
    by_name = table.strategy if isinstance(table.strategy, OptunaStrategy) else None
    space = space_from_plain(table.axes, n_tasks=n_tasks)
    return Stage(
        kind=table.kind,
        space=space,
        refine=table.refine,
        trials=getattr(table, "trials", 0),
        round_size=getattr(table, "round_size", ROUND_SIZE),
        sampler=by_name.optuna if by_name else "",
        options=by_name.options if by_name else {},
        first=[space.labelled(_values(point, n_tasks)) for point in getattr(table, "first", ())],
        at=_values(table.at, n_tasks),
        stop=table.stop,
    )


def _check_stages(
    stages: Sequence[Stage], hypers: Sequence[Hyper], n_tasks: int, place: str
) -> None:
    if stages[0].kind == "neighbours":
        raise BadSpec(
            f'{place}: `lr = "neighbours"` looks beside learning rates that were tried. Got it as '
            "the first stage. Put `{ lr = [1e-3, 1e-2] }` before it."
        )
    for stage in stages:
        if stage.kind != "neighbours":
            _check_stage(stage, hypers, n_tasks)


def wants_closing(stages: Sequence[Stage]) -> bool:
    """Whether the learning rate was tuned and something else after it (M6)."""
    rates = [k for k, stage in enumerate(stages) if "lr" in stage.tuned]
    return bool(rates) and rates[-1] < len(stages) - 1


def _joined(stages: Sequence[Stage], place: str) -> Stage:
    """One stage of the full product."""
    axes: dict[str, Any] = {}
    when: dict[str, Any] = {}
    for stage in stages:
        if stage.kind == "neighbours":
            continue
        named = {parameter_of(name) for name in axes}
        if stage.kind not in ("grid", "line") or stage.refine or set(stage.tuned) & named:
            raise BadSpec(
                f"{place}: `joint = true` needs grids of different parameters, without `refine`. "
                f"Got a stage of kind {stage.kind} over {', '.join(stage.tuned)}. "
                "Drop `joint`, or write the product as one stage with a strategy."
            )
        if stage.stop is not None:
            raise BadSpec(
                f"{place}: `joint = true` makes one stage of all, and `stop` belongs to one of "
                f"them. Got it in the stage of {', '.join(stage.tuned)}. "
                "Drop it, or write the product as one stage with `stop`."
            )
        axes |= stage.space.axes
        when |= stage.space.when
    return Stage(kind="grid", space=Space(axes, when))


def _values(table: Mapping[str, Any], n_tasks: int) -> dict[str, Any]:
    """Single values, checked as an axis of one point."""
    space = space_from_plain({name: [value] for name, value in table.items()}, n_tasks=n_tasks)
    return {name: next(iter(axis.points())) for name, axis in space.axes.items()}


def _check_stage(stage: Stage, hypers: Sequence[Hyper], n_tasks: int) -> None:
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
        rule = rules.get(parameter_of(name))
        if rule is None:
            continue
        for value in values_of:
            rule.checked(value, n_tasks)


def refuse_split_conditions(stages: Sequence[Stage], fixed: Collection[str], place: str) -> None:
    """Refuse to tune a conditional parameter in one stage and what it depends on in another.

    Args:
        fixed: Names that `hyper` fixes throughout.

    Raises:
        BadSpec: A parameter with a condition, or one that a condition names, stands elsewhere too.
    """
    for number, stage in enumerate(stages):
        tied = {*stage.space.when, *(name for t in stage.space.when.values() for name in t)}
        elsewhere = {
            name for k, s in enumerate(stages) if k != number for name in (*s.tuned, *s.at)
        }
        split = sorted(tied & {*elsewhere, *fixed})
        if split:
            raise BadSpec(
                f"{place}: a parameter with `when` and those that it depends on are tuned in one "
                f"stage only. Got {', '.join(split)} elsewhere, too. Put them into one stage, or "
                "drop `when`."
            )


def refuse_long_points(search: Search) -> None:
    """Refuse points whose text no database could tell from others.

    Raises:
        BadSpec: The longest values of a search's parameters are too long together.
    """
    longest = {name: len(canonical({name: value})) for name, value in search.anchors.items()}
    for stage in search.stages:
        lengths = [(name, len(canonical({name: value}))) for name, value in stage.at.items()]
        for name, axis in stage.space.axes.items():
            if isinstance(axis, Choices):
                lengths += [(name, len(canonical({name: value}))) for value in axis.values]
            else:
                lengths.append((name, len(name) + _LONGEST_NUMBER * (axis.dimensions + 1)))
        for name, length in lengths:
            longest[name] = max(length, longest.get(name, 0))
    if sum(longest.values()) > _LONGEST_POINT:
        name = max(longest, key=lambda name: longest[name])
        raise BadSpec(
            f"[[search]] {search.name}: the values of a trial must take at most "
            f"{_LONGEST_POINT:,} characters as JSON. Got {sum(longest.values()):,}, of which "
            f"{longest[name]:,} are of `{name}`. Give long values names, and look them up in your "
            "code."
        )


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
        ends = [axis.from_unit((share,) * axis.dimensions) for share in (0.0, 1.0)]
        yield name, axis.points() if isinstance(axis, Choices) else ends


def _refuse_too_many(space: Space) -> None:
    size = space.size or 0
    if size > _MOST_POINTS:
        axes = " x ".join(f"{axis.size} {name}" for name, axis in space.axes.items())
        raise TooManyPoints(
            f"A grid may have {_MOST_POINTS:,} points at most. Got {axes} = {size:,}. "
            'Take fewer values, or `strategy = "random"` with `trials`.'
        )


def _refuse_odd_firsts(stage: Stage, place: str) -> None:
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
