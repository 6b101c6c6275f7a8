"""One table of `stages`: which parameters, which strategy."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from search_spaces import Space
from study.errors import BadSpec
from study.spec._findings import shown_value
from study.spec.stop import parse_stop
from study.spec.stopping import StopRule
from trainers.suggestions import did_you_mean

STRATEGIES = ("grid", "random", "quasi-random", "tpe")
OPTIONS = ("strategy", "trials", "round_size", "at", "stop")
_ROUND_SIZE = 4
_MOST_TRIALS = 100_000  # as many as a grid may have
_MOST_REFINED = 100  # rounds; after fifty of them floats have nothing between them


@dataclass(frozen=True, slots=True)
class ClosingStage:
    """``{ lr = "neighbours" }``: the two learning rates beside the winner's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTable:
    """A stage as written, its words checked; axes are still plain values."""

    axes: Mapping[str, Any]
    strategy: str
    refine: int = 0
    trials: int = 0
    round_size: int = 1
    is_line: bool = False
    at: Mapping[str, Any] = field(default_factory=dict)
    stop: StopRule | None = None

    @staticmethod
    def parse(
        table: Mapping[str, Any], *, tunable: Set[str], epochs: int, place: str
    ) -> StageTable | ClosingStage:
        """Read one table; `epochs` are those of each run.

        Raises:
            BadSpec: Unknown keys, no parameter, or options that do not go together.
        """
        if table.get("lr") == "neighbours":
            return _closing(table, place)
        axes = {key: value for key, value in table.items() if key in tunable}
        _refuse_unknown(table, tunable, place)
        if not axes:
            raise BadSpec(
                f"{place}: a stage must tune something. Got {shown_value(dict(table))}. "
                f"Write a parameter with its values, such as `lr = [1e-3, 1e-2]`: "
                f"{', '.join(sorted(tunable))}."
            )
        axes, refine, is_line = _take_refine(axes, place)
        strategy = _strategy(table, refine, place)
        return StageTable(
            axes=axes,
            strategy=strategy,
            refine=refine,
            trials=_whole(table, "trials", place, most=_MOST_TRIALS),
            round_size=_whole(table, "round_size", place, most=_MOST_TRIALS) or _ROUND_SIZE,
            is_line=is_line,
            at=_fixed(table, tunable, place),
            stop=parse_stop(table.get("stop"), epochs=epochs, place=place),
        )

    def kind(self, space: Space) -> str:
        """The strategy's name in the database."""
        if self.strategy != "grid":
            return self.strategy
        return "line" if self.is_line and len(space.axes) == 1 else "grid"


def _closing(table: Mapping[str, Any], place: str) -> ClosingStage:
    others = [key for key in table if key != "lr"]
    if others:
        raise BadSpec(
            f'{place}: `lr = "neighbours"` is a stage by itself. Got it beside '
            f"{', '.join(others)}. Drop them, or write a stage of their own."
        )
    return ClosingStage()


def _strategy(table: Mapping[str, Any], refine: int, place: str) -> str:
    """The strategy's name, with the options that belong to it."""
    strategy = table.get("strategy", "grid")
    if strategy not in STRATEGIES:
        raise BadSpec(
            f"{place}: `strategy` must be one of {', '.join(STRATEGIES)}. "
            f"Got {shown_value(strategy)}. Write one of these, or drop it for a grid."
        )
    if strategy == "grid" and "trials" in table:
        raise BadSpec(
            f"{place}: `trials` goes with the strategies random, quasi-random and tpe; a grid "
            f"tries all its points. Got trials = {table['trials']}. Drop it, or add a `strategy`."
        )
    if strategy != "grid" and "trials" not in table:
        raise BadSpec(
            f"{place}: the strategy {strategy} needs `trials`. Got none. "
            "Write how many points to try, such as `trials = 20`."
        )
    if strategy != "tpe" and "round_size" in table:
        raise BadSpec(
            f"{place}: `round_size` goes with the strategy tpe. Got {strategy!r}. Drop it."
        )
    if strategy != "grid" and refine:
        raise BadSpec(
            f"{place}: `refine` goes with a line. Got it with the strategy {strategy}. Drop it."
        )
    return str(strategy)


def _fixed(table: Mapping[str, Any], tunable: Set[str], place: str) -> Mapping[str, Any]:
    """The values that `at` fixes for this stage."""
    values = table.get("at", {})
    if not isinstance(values, Mapping):
        raise BadSpec(
            f"{place}: `at` must be a table of values. Got {shown_value(values)}. "
            f"Write at = {{ lr = 1e-3 }}."
        )
    _refuse_unknown(values, tunable, f"{place}, `at`", options=())
    both = [name for name in values if name in table]
    if both:
        raise BadSpec(
            f"{place}: `at` fixes what the stage does not tune. Got {', '.join(both)} in both. "
            "Drop it from one of them."
        )
    return values


def _take_refine(axes: Mapping[str, Any], place: str) -> tuple[dict[str, Any], int, bool]:
    """Split `refine` off a line: it belongs to the strategy, not to the axis."""
    plain, refine, is_line = dict(axes), 0, False
    for name, value in axes.items():
        if not isinstance(value, Mapping):
            continue
        is_line = is_line or "line" in value or "log_range" in value
        if "refine" in value:
            refine = _whole(value, "refine", f"{place}, `{name}`", most=_MOST_REFINED)
            plain[name] = {key: part for key, part in value.items() if key != "refine"}
            if len(axes) > 1 or not is_line:
                raise BadSpec(
                    f"{place}: `refine` goes with a line of one parameter. Got it in a stage of "
                    f"{', '.join(axes)}. Write `{name} = {{ line = [...], refine = 1 }}` in a "
                    "stage of its own, or drop it."
                )
    return plain, refine, is_line


def _refuse_unknown(
    table: Mapping[str, Any], tunable: Set[str], place: str, options: tuple[str, ...] = OPTIONS
) -> None:
    allowed = [*sorted(tunable), *options]
    for key in table:
        if key not in allowed:
            raise BadSpec(
                f"{place}: unknown key `{key}` in a stage.{did_you_mean(key, allowed)} "
                f"Allowed: {', '.join(allowed)}."
            )


def _whole(table: Mapping[str, Any], key: str, place: str, *, most: int) -> int:
    value = table.get(key, 0)
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or (key in table and not 1 <= value <= most):
        raise BadSpec(
            f"{place}: `{key}` must be a whole number from 1 to {most:,}. "
            f"Got {shown_value(value)}. Change or drop it."
        )
    return int(value)
