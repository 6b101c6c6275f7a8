"""The parameters of trials as columns of a table."""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from reports.frames import StudyFrames


def with_params(
    frames: StudyFrames, runs: pd.DataFrame, *, taken: Collection[str] = ()
) -> pd.DataFrame:
    """Add one column a parameter to rows that have a ``params`` column.

    ``task_weights`` becomes ``w_<task>`` columns. A parameter that a row does not have is missing.
    A parameter called like a column of `runs`, or like one of those that are `taken`, gets the
    prefix ``param_``.
    """
    texts = runs["params"].unique()
    tasks = frames.tasks
    points = [_point(text, tasks) for text in texts]
    names = dict.fromkeys(name for point in points for name in point)
    table = pd.DataFrame(
        {name: _column([point.get(name) for point in points]) for name in names},
        index=pd.Index(texts, dtype=runs["params"].dtype),
    )
    return runs.join(table.set_axis(_free([*table], {*runs, *taken}), axis="columns"), on="params")


def _free(names: Sequence[str], taken: set[str]) -> list[str]:
    """The names, with as many prefixes as set each apart from those taken and from the others."""
    found: list[str] = []
    for name in names:
        new = name
        while new in taken or new in found or (new != name and new in names):
            new = f"param_{new}"
        found.append(new)
    return found


def _column(values: Sequence[Any]) -> Any:
    """Values of one parameter in one type; None where a point has none.

    Whole numbers stay whole. Tables and a mix of kinds, which no column holds, become JSON.
    """
    present = [value for value in values if value is not None]
    kinds = {type(value) for value in present}
    if kinds == {int}:
        return pd.array(values, dtype="int64" if len(present) == len(values) else "Int64")
    if kinds and kinds <= {int, float}:
        return np.array([math.nan if value is None else value for value in values])
    if kinds in ({bool}, {str}) or (kinds == {list} and all(map(_is_row, present))):
        return list(values)
    return [None if value is None else json.dumps(value, sort_keys=True) for value in values]


def _is_row(value: Sequence[Any]) -> bool:
    return all(type(entry) in (int, float) for entry in value)


@lru_cache(maxsize=2**15)
def _point(text: str, tasks: tuple[str, ...]) -> Mapping[str, Any]:
    params = json.loads(text)
    weights = params.get("task_weights", ())
    named = {f"w_{task}": float(weight) for task, weight in zip(tasks, weights, strict=False)}
    return {k: v for k, v in params.items() if k != "task_weights"} | named
