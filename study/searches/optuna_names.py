"""Optuna's classes by the name that a spec gives them, and the options that they take."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal

import optuna

from study.errors import BadSpec
from trainers.suggestions import did_you_mean


def optuna_class(
    kind: Literal["sampler", "pruner"], name: str, elsewhere: Mapping[str, str]
) -> Any:
    """A class of Optuna's that a stage may name.

    Args:
        elsewhere: Those that it may not, and why.

    Raises:
        BadSpec: There is none of that name, or it is not for a stage.
    """
    if name in elsewhere:
        raise BadSpec(f"Optuna's {name} is not for a stage: {elsewhere[name]}.")
    module = getattr(optuna, f"{kind}s")
    known = sorted(n for n in module.__all__ if n.endswith(kind.capitalize()))
    usable = [n for n in known if n not in elsewhere]
    if name not in usable:
        raise BadSpec(
            f"Optuna {optuna.__version__} has no {kind} {name}.{did_you_mean(name, usable)} "
            f"There are {', '.join(usable)}."
        )
    return getattr(module, name)


def refuse_unknown(name: str, options: Iterable[str], allowed: Collection[str]) -> None:
    """Refuse options that a class does not have.

    Raises:
        BadSpec: With the first of them.
    """
    for key in options:
        if key not in allowed:
            raise BadSpec(
                f"{name} has no option `{key}`.{did_you_mean(key, allowed)} "
                f"It has {', '.join(allowed)}."
            )
