"""Makes a problem of a class and a study's options, with every complaint in plain words."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import cast

from trainers.cards import ProblemCard
from trainers.errors import BadCard
from trainers.hints import did_you_mean
from trainers.problems.errors import (
    ConstructorFailed,
    NotAProblem,
    UnknownOption,
)
from trainers.problems.user_module import refused
from trainers.protocol import Problem

METHODS = ("sources", "trunk", "head", "functions")


def checked_class(found: object, target: str) -> type[Problem]:
    """The class, if it has the methods of a problem.

    Raises:
        NotAProblem: It is no class, or methods are missing.
    """
    if not inspect.isclass(found):
        raise NotAProblem(
            f"Problem `{target}` must be a class. Got {type(found).__name__}. "
            "Name a class with the methods of a problem."
        )
    with refused(lambda told: NotAProblem(f"The class of problem `{target}` raised {told}.")):
        missing = [name for name in METHODS if not callable(getattr(found, name, None))]
    if missing:
        raise NotAProblem(
            f"A problem needs a `card` and the methods {', '.join(METHODS)}. `{target}` lacks "
            f"{', '.join(missing)}. Add what is missing."
        )
    return cast("type[Problem]", found)


def construct(cls: type[Problem], target: str, options: Mapping[str, object]) -> Problem:
    """Call the constructor and read the card once.

    Raises:
        UnknownOption: The constructor has no such option.
        BadOption: The constructor refused a value.
        ConstructorFailed: The constructor, or reading the card, raised something else.
        NotAProblem: The card is missing, no `ProblemCard`, or breaks a rule of cards.
    """
    with refused(
        lambda told: ConstructorFailed(
            f"Problem `{target}` must be constructible from its options, and its card readable. "
            f"It raised {told}. Check [problem_options], or the class."
        )
    ):
        _check_names(cls, target, options)
        try:
            problem = cls(**options)
            # Looked up statically first: an AttributeError inside a property is no missing card.
            has_card = inspect.getattr_static(problem, "card", None) is not None
            card: object = problem.card if has_card else None
        except BadCard as error:
            raise NotAProblem(
                f"Problem `{target}` has a card that breaks a rule. {error}"
            ) from error
    if not isinstance(card, ProblemCard):
        raise NotAProblem(
            f"The `card` of a problem must be a trainers.cards.ProblemCard. `{target}` has "
            f"{type(card).__name__}. Add it as an attribute or a property."
        )
    return problem


def _check_names(cls: type[Problem], target: str, options: Mapping[str, object]) -> None:
    parameters = inspect.signature(cls).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return
    allowed = [p.name for p in parameters if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)]
    for name in options:
        if name not in allowed:
            known = ", ".join(sorted(allowed)) or "none"
            raise UnknownOption(
                f"Unknown key `{name}` in [problem_options] of problem `{target}`."
                f"{did_you_mean(name, allowed)} Allowed: {known}."
            )
