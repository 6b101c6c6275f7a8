"""Several objectives: `objective` as a list, or `metric` of [function]; and what goes with them.

What looks for the best trial by one number has no meaning for a front, and is refused by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Tag

from storage.objectives.delta_m import NAME as DELTA_M
from study.spec._findings import shown_value
from study.spec._section import Printable, told_by

MOST = 5
"""Objectives: with more, nearly every trial is on the front, and its volume takes minutes."""
_STL = "stl/"


def checked(names: Sequence[str], *, one: str) -> None:
    """Refuse a list that names no front.

    Args:
        one: How one objective is written.

    Raises:
        ValueError: It is too short or too long, repeats a name, or has delta_m.
    """
    if len(names) < 2:
        said = "Got none." if not names else f"Got {shown_value(names[0])} alone."
        raise ValueError(f"must name two objectives or more as a list. {said} Write {one}.")
    if len(names) > MOST:
        raise ValueError(
            f"must name {MOST} objectives at most. Got {len(names)}: with more, nearly every trial "
            "is on the front. Take those that matter, or `delta_m`, which is the mean over all."
        )
    if len(set(names)) < len(names):
        raise ValueError(f"must not repeat an objective. Got {shown_value(names)}. Drop one.")
    if DELTA_M in names:
        raise ValueError(
            f"must name metrics of tasks if it is a list. Got {DELTA_M}, which is the mean over "
            "all of them. Drop it from the list: it is told beside where there is a baseline."
        )


def _checked(names: list[str]) -> list[str]:
    checked(names, one=f"`objective = {(names or [DELTA_M])[0]!r}`")
    return names


Objectives = Annotated[
    Annotated[str, Tag("<name>")]
    | Annotated[list[Printable], AfterValidator(_checked), Tag("<list>")],
    told_by(list, "<list>", "<name>"),
]
"""`objective` of a spec: one, or a list of several."""


def filled_in(plain: Any) -> Any:
    """A spec as it is written; with several objectives, a run counts by its last epoch."""
    if not isinstance(plain, Mapping) or not _of_a_front(plain):
        return plain
    compare = plain.get("compare", {})
    if not isinstance(compare, Mapping):
        return plain
    return {**plain, "compare": {"select_epoch": "last", **compare}}


def _of_a_front(plain: Mapping[str, Any]) -> bool:
    function = plain.get("function")
    of_function = function.get("metric") if isinstance(function, Mapping) else None
    return isinstance(plain.get("objective"), list) or isinstance(of_function, list)


def misplaced(spec: Any) -> str:
    """Why a spec with several objectives does not fit together; empty if it does.

    Args:
        spec: A `StudySpec`.
    """
    of_function = spec.function is not None and len(spec.function.metrics) > 1
    if not isinstance(spec.objective, list) and not of_function:
        return ""
    return next(_reasons(spec), "")


def _reasons(spec: Any) -> Iterator[str]:
    if spec.compare.select_epoch == "best":
        yield (
            "`select_epoch` of [compare] must be `last` or `mean_last_K` with several objectives: "
            "no epoch of a run is best by all of them. Got best. Drop it, and the last one counts."
        )
    if spec.confirm is not None:
        yield (
            "[confirm] goes with one objective: it trains the best trials of a ranking again, and "
            "a front has none. Drop it; add `seeds`, which every trial gets."
        )
    if spec.followup:
        yield (
            "[[followup]] goes with one objective: it goes on from the best trial of each search, "
            "and a front has none. Drop it, or ask for it with one `objective`."
        )
    for part in spec.search:
        place = f"[[search]] {part.name or ', '.join(part.weightings)}"
        stages = part.stages
        if len(stages) > 1 and not part.joint:
            yield (
                f"{place}: with several objectives a search has one stage: the next one would "
                f"begin from the best trial, and a front has none. Got {len(stages)} stages. Put "
                "all parameters into one, write `joint = true`, or fix them by `at` or `hyper`."
            )
        for stage in stages:
            if stage.stop is not None:
                yield (
                    f"{place}: `stop` goes with one objective: a rung compares trials by one "
                    f"number. Got the rule {stage.stop.rule}. Drop it."
                )
            if stage.refine:
                yield (
                    f"{place}: `refine` goes with one objective: it looks around the best value, "
                    "and a front has none. Drop it, and list more values."
                )
        if part.init_from is not None and not part.init_from.startswith(_STL):
            yield (
                f"{place}: `init_from` takes the best network of a search, and a front has none. "
                f"Got {part.init_from!r}. Begin from a single-task one, `{_STL}TASK`, or drop it."
            )
