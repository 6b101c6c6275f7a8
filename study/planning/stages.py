"""From the tables of `stages` to checked stages, of weightings and training functions alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

from search_spaces import Space, space_from_plain
from study.errors import BadSpec
from study.planning.search_plan import Stage
from study.planning.stage_checks import check_stage
from study.spec.stage import OPTIONS, ROUND_SIZE, StageSpec
from study.spec.study_spec import SearchSpec
from trainers.suggestions import did_you_mean
from trainers.weightings import Hyper

CLOSING = Stage(kind="neighbours", space=Space({}))


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
        _refuse_unknown(table.axes, [*sorted(tunable), *OPTIONS], stage)
        _refuse_unknown(table.at, sorted(tunable), f"{stage}, `at`")
    stages = [_stage(table, n_tasks) for table in part.stages]
    _check_stages(stages, hypers, n_tasks, place)
    return [_joined(stages, place)] if part.joint else stages


def _refuse_unknown(names: Iterable[str], allowed: Sequence[str], place: str) -> None:
    for name in names:
        if name not in allowed:
            raise BadSpec(
                f"{place}: unknown key `{name}`.{did_you_mean(name, allowed)} "
                f"Allowed: {', '.join(allowed)}."
            )


def _stage(table: StageSpec, n_tasks: int) -> Stage:
    if table.kind == "neighbours":
        return CLOSING
    return Stage(
        kind=table.kind,
        space=space_from_plain(table.axes, n_tasks=n_tasks),
        refine=table.refine,
        trials=getattr(table, "trials", 0),
        round_size=getattr(table, "round_size", ROUND_SIZE),
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
            check_stage(stage, hypers, n_tasks)


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
        if stage.kind not in ("grid", "line") or stage.refine or set(stage.space.axes) & set(axes):
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
