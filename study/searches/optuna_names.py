"""Optuna's classes by the name that a spec gives them, and the options that they take."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import Parameter
from typing import Any, Final, Literal

import optuna

from study.errors import BadSpec
from trainers.suggestions import did_you_mean, shown

_KINDS: Final = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "text in quotes",
    "dict": "a table",
}


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


def refuse_unfit(name: str, options: Mapping[str, object], known: Mapping[str, Parameter]) -> None:
    """Refuse options that a class does not have, or whose values are of another kind than its.

    Args:
        known: What the class is made from; kinds are read off its annotations.

    Raises:
        BadSpec: With the first of them.
    """
    for key, value in options.items():
        if key not in known:
            raise BadSpec(
                f"{name} has no option `{key}`.{did_you_mean(key, known)} "
                f"It has {', '.join(known) or 'none'}."
            )
        kinds = _kinds_of(known[key])
        if not kinds:
            raise BadSpec(
                f"Option `{key}` of {name} takes an object of Python's, which no spec can hold. "
                "Drop it."
            )
        if not any(_is(value, kind) for kind in kinds):
            raise BadSpec(
                f"Option `{key}` of {name} must be {' or '.join(_KINDS[kind] for kind in kinds)}. "
                f"Got {shown(value)}. Change it."
            )


def said_by(error: Exception) -> str:
    """What a class of Optuna's says of its options, as a sentence."""
    return f"{str(error).rstrip('.')}."


def _kinds_of(parameter: Parameter) -> list[str]:
    """Kinds of a spec's values that an argument takes; all where its class does not say."""
    said = parameter.annotation
    if said is Parameter.empty:
        return [*_KINDS]
    parts = (said if isinstance(said, str) else said.__name__).split(" | ")
    return [kind for kind in (part.partition("[")[0] for part in parts) if kind in _KINDS]


def _is(value: object, kind: str) -> bool:
    if isinstance(value, bool):  # which is a whole number to Python
        return kind == "bool"
    kinds = {"int": int, "float": int | float, "str": str, "dict": Mapping}
    return kind in kinds and isinstance(value, kinds[kind])
