"""Checks of what a study gives to a built-in problem: its options, and the names of tasks."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from trainers.problems.errors import BadOption, UnknownTask
from trainers.suggestions import did_you_mean, shown


def check_task(task: str, known: Collection[str]) -> None:
    """Refuse a name that is none of the card's tasks.

    Raises:
        UnknownTask: There is no such task.
    """
    if task not in known:
        raise UnknownTask(
            f"The tasks are {', '.join(known)}. Got `{task}`."
            f"{did_you_mean(task, known)} Use one of the card's tasks."
        )


def check_at_least(name: str, value: object, low: int) -> None:
    """Refuse what is not a whole number of at least `low`.

    Raises:
        BadOption: The value is something else.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < low:
        raise BadOption(
            f"`{name}` must be a whole number of at least {low}. Got {shown(value)}. "
            "Set it in [problem_options], or drop it for the default."
        )


def check_choice(name: str, value: object, allowed: Sequence[object]) -> None:
    """Refuse what is not one of a few values.

    Raises:
        BadOption: The value is something else.
    """
    if not any(value == choice and type(value) is type(choice) for choice in allowed):
        known = ", ".join(repr(choice) for choice in allowed)
        hint = did_you_mean(str(value), [str(choice) for choice in allowed])
        raise BadOption(
            f"`{name}` must be one of {known}. Got {shown(value)}.{hint} Choose one of them."
        )


def check_names(name: str, value: object, allowed: Collection[str]) -> tuple[str, ...]:
    """A list of names as a tuple: at least one, each known, none twice.

    Raises:
        BadOption: The value is something else.
    """
    known = ", ".join(allowed)
    if not isinstance(value, list | tuple) or not value or len({*map(str, value)}) < len(value):
        raise BadOption(
            f"`{name}` must be a list of names that differ, and not be empty. Got {shown(value)}. "
            f"Choose from {known}."
        )
    for one in value:
        if one not in allowed:
            hint = did_you_mean(str(one), allowed)
            raise BadOption(
                f"`{name}` must have names from {known}. Got {shown(one)}.{hint} Choose from them."
            )
    return tuple(value)


def check_pair(name: str, value: object, low: int) -> tuple[int, int]:
    """Two whole numbers of at least `low`.

    Raises:
        BadOption: The value is something else.
    """
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise BadOption(
            f"`{name}` must be two whole numbers, as in [288, 384]. Got {shown(value)}. Set it in "
            "[problem_options], or drop it for the default."
        )
    for one in value:
        check_at_least(name, one, low)
    first, second = value
    return first, second
