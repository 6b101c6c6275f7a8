"""What Python code may give to `study.api`, checked by type before anything runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from study.drivers import RayOptions
from study.errors import BadArgument
from study.spec.study_spec import StudySpec
from trainers.suggestions import shown


@dataclass(frozen=True, slots=True)
class Rule:
    """What an argument may be.

    Attributes:
        told: In words, to follow "must be".
        allows: Whether a value keeps it.
    """

    told: str
    allows: Callable[[object], bool]


def _or_none(rule: Rule) -> Rule:
    return Rule(f"{rule.told} or None", lambda value: value is None or rule.allows(value))


_TEXT = Rule("a text", lambda value: isinstance(value, str))
_PATH = Rule("a path", lambda value: isinstance(value, str | os.PathLike))
_FLAG = Rule("True or False", lambda value: isinstance(value, bool))
_FUNCTION = Rule("a function", callable)
_COUNT = Rule(
    "a whole number from 1 on",
    lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 1,
)
_SEED = Rule("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool))

_WHERE = {"device": _TEXT}
_STORED = {"storage": _or_none(_TEXT)}
_WORKERS = {
    **_WHERE,
    "workers": _COUNT,
    "ray": _or_none(Rule("a RayOptions", lambda value: isinstance(value, RayOptions))),
    "checkpoints": _or_none(_PATH),
}
STUDY = {
    **_STORED,
    "spec": Rule("a StudySpec", lambda value: isinstance(value, StudySpec)),
    "folder": _or_none(_PATH),
}
OPEN = {**_STORED, "name": Rule("a name or a path", _PATH.allows)}
BUDGET = {"limits": Rule("a mapping", lambda value: isinstance(value, Mapping))}
PACKS = {**_WHERE, "look": _FLAG}
CHECK = _WORKERS
RUN = {**_WORKERS, "redecide": _FLAG, "report": _FUNCTION, "say": _FUNCTION, "on_start": _FUNCTION}
NETWORK = {
    **_WHERE,
    "search": _or_none(_TEXT),
    "seed": _or_none(_SEED),
    "retrain": _FLAG,
    "say": _FUNCTION,
}


def check_arguments(rules: Mapping[str, Rule], given: Mapping[str, object]) -> None:
    """Check a call's arguments by their names.

    Raises:
        BadArgument: One is not what it may be.
    """
    for name, rule in rules.items():
        if not rule.allows(value := given[name]):
            raise BadArgument(
                f"`{name}` must be {rule.told}. Got {shown(value)}, of type "
                f"{type(value).__name__}. Correct it."
            )
