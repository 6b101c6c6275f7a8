"""Spaces from Optuna's distributions, which are known by their attributes: Optuna stays outside."""

from collections.abc import Mapping
from typing import Any

from search_spaces._axis import Axis
from search_spaces._choices import Choices
from search_spaces._conditions import When
from search_spaces._foreign import between, space_of, stepped, whole
from search_spaces._shown import shown
from search_spaces._space import Space
from search_spaces.errors import WrongType


def from_optuna(distributions: Mapping[str, object], *, when: When | None = None) -> Space:
    """The space of Optuna's distributions, such as ``study.best_trial.distributions``.

    ================================================  =============================================
    distribution                                      axis
    ================================================  =============================================
    ``FloatDistribution(low, high)``                  `Range`
    ``FloatDistribution(low, high, step=...)``        `Range` with points
    ``FloatDistribution(low, high, log=True)``        `LogRange`
    ``IntDistribution(low, high, step=...)``          `IntRange`
    ``IntDistribution(low, high, log=True)``          `LogIntRange`
    ``CategoricalDistribution(choices)``              `Choices`
    ================================================  =============================================

    Args:
        when: What an objective asks for in some trials only, as ``if`` says in its code:
            ``{"momentum": {"optimizer": "sgd"}}``.

    Raises:
        BadAxis: A condition does not fit the distributions.
        WrongType: Something is no distribution.
        TooManyPoints: A range has more steps than anybody could try.
    """
    return space_of(distributions, _axis, when=when, what="Optuna's distributions")


def _axis(found: Any) -> Axis:
    if hasattr(found, "choices"):
        return Choices(list(found.choices))
    if not all(hasattr(found, name) for name in ("low", "high", "log", "step")):
        raise WrongType(
            f"Not a distribution of Optuna: {shown(found)}. Pass what "
            "`trial.distributions` holds, or FloatDistribution(low, high)."
        )
    if isinstance(found.low, int):  # Optuna keeps ends of floats as floats
        return whole(found.low, found.high, step=found.step, log=found.log)
    if found.step is not None:
        return stepped(found.low, found.high, found.step)
    return between(found.low, found.high, log=found.log)
