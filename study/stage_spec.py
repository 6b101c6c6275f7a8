"""One table of `stages`: which parameters, which strategy."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from search_spaces import Space
from study.errors import BadSpec

STRATEGIES = ("grid", "random", "quasi-random", "tpe")
_OPTIONS = ("strategy", "trials", "round_size", "at")


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

    @staticmethod
    def parse(
        table: Mapping[str, Any], *, tunable: Set[str], place: str
    ) -> StageTable | ClosingStage:
        """Read one table.

        Raises:
            BadSpec: Unknown keys, no parameter, or options that do not go together.
        """
        if table == {"lr": "neighbours"}:
            return ClosingStage()
        axes = {key: value for key, value in table.items() if key in tunable}
        _refuse_unknown(table, tunable, place)
        if not axes:
            raise BadSpec(f"{place}: a stage must tune something. Got {dict(table)}.")
        _refuse_unknown(table.get("at", {}), tunable, f"{place}, `at`", options=())
        axes, refine, is_line = _take_refine(axes, place)
        strategy = table.get("strategy", "grid")
        if strategy not in STRATEGIES:
            raise BadSpec(
                f"{place}: `strategy` must be one of {', '.join(STRATEGIES)}. Got {strategy!r}."
            )
        trials = _whole(table, "trials", place)
        if (strategy == "grid") == bool(trials):
            raise BadSpec(
                f"{place}: `trials` goes with the strategies random, quasi-random and tpe, which "
                f"need it. Got strategy {strategy!r} and trials {trials or 'missing'}."
            )
        if "round_size" in table and strategy != "tpe":
            raise BadSpec(f"{place}: `round_size` goes with the strategy tpe. Got {strategy!r}.")
        return StageTable(
            axes=axes,
            strategy=strategy,
            refine=refine,
            trials=trials,
            round_size=_whole(table, "round_size", place) or 4,
            is_line=is_line,
            at=table.get("at", {}),
        )

    def kind(self, space: Space) -> str:
        """The strategy's name in the database."""
        if self.strategy != "grid":
            return self.strategy
        return "line" if self.is_line and len(space.axes) == 1 else "grid"


def _take_refine(axes: Mapping[str, Any], place: str) -> tuple[dict[str, Any], int, bool]:
    """Split `refine` off a line: it belongs to the strategy, not to the axis."""
    plain, refine, is_line = dict(axes), 0, False
    for name, value in axes.items():
        if not isinstance(value, Mapping):
            continue
        is_line = is_line or "line" in value or "log_range" in value
        if "refine" in value:
            refine = _whole(value, "refine", f"{place}, `{name}`")
            plain[name] = {key: part for key, part in value.items() if key != "refine"}
            if len(axes) > 1 or not is_line:
                raise BadSpec(
                    f"{place}: `refine` goes with a line of one parameter. "
                    f"Got it for `{name}` beside {len(axes) - 1} others. "
                    "Write { line = [...], refine = 1 } in a stage of its own."
                )
    return plain, refine, is_line


def _refuse_unknown(
    table: Mapping[str, Any], tunable: Set[str], place: str, options: tuple[str, ...] = _OPTIONS
) -> None:
    allowed = [*sorted(tunable), *options]
    for key in table:
        if key not in allowed:
            close = difflib.get_close_matches(key, allowed, n=1)
            hint = f" Did you mean `{close[0]}`?" if close else ""
            raise BadSpec(
                f"{place}: unknown key `{key}` in a stage.{hint} Allowed: {', '.join(allowed)}."
            )


def _whole(table: Mapping[str, Any], key: str, place: str) -> int:
    value = table.get(key, 0)
    if isinstance(value, bool) or not isinstance(value, int) or (key in table and value < 1):
        raise BadSpec(f"{place}: `{key}` must be a whole number above 0. Got {value!r}.")
    return value
