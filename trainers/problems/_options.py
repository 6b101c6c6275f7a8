"""Checks of a problem's options, made once, in its constructor."""

from __future__ import annotations

from collections.abc import Sequence

from trainers.hints import did_you_mean, shown
from trainers.problems.errors import BadOption


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
