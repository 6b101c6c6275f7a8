"""Spaces of Ray Tune and Optuna. Both stay outside: what they call a range is known by attributes.

A domain of Ray has bounds or categories, and a sampler that says how they are drawn; a distribution
of Optuna has bounds or choices.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import ceil, floor, isclose
from typing import Any

from search_spaces._axis import Axis
from search_spaces._choices import Choices
from search_spaces._conditions import When
from search_spaces._ranges import LogRange, Range
from search_spaces._rules import RULES, TASK_WEIGHTS, checked_numbers, checked_weights
from search_spaces._shown import shown
from search_spaces._space import Space
from search_spaces._values import MAX_POINTS
from search_spaces.errors import BadAxis, TooManyPoints, WrongType, blamed_on
from search_spaces.variants import parameter_of
from search_spaces.whole import IntRange, LogIntRange


def from_ray(param_space: Mapping[str, object], *, when: When | None = None) -> Space:
    """The space of Ray Tune's ``param_space``.

    ===============================================  ==============================================
    Ray Tune                                         axis
    ===============================================  ==============================================
    ``grid_search(values)``, ``choice(values)``      `Choices`
    a plain value, a table of plain values           `Choices` of that value
    ``uniform(low, high)``                           `Range`
    ``quniform(low, high, q)``                       `Range` with points
    ``loguniform(low, high)``                        `LogRange`
    ``randint``, ``qrandint``                        `IntRange`
    ``lograndint``                                   `LogIntRange`
    ===============================================  ==============================================

    Args:
        when: What is there in some trials only, where ``sample_from`` would look at another
            parameter: ``{"momentum": {"optimizer": "sgd"}}``.

    Raises:
        BadAxis: There is no such axis here (normal or quantised numbers on a logarithmic scale,
            functions, tables that draw values), or a condition does not fit; the message has what
            to write instead.
        WrongType: A value is nothing that a point can hold.
        TooManyPoints: A range has more steps than anybody could try.
    """
    return _space_of(param_space, _ray_axis, when=when, what="A param_space")


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
    return _space_of(distributions, _optuna_axis, when=when, what="Optuna's distributions")


def _ray_axis(found: Any) -> Axis:
    if isinstance(found, Mapping):
        return _ray_table(found)
    if not hasattr(found, "sampler"):  # no domain, but a plain value
        return Choices([found])
    if hasattr(found, "categories"):
        return Choices(list(found.categories))
    if hasattr(found, "lower"):
        return _ray_range(found)
    raise BadAxis(
        "Values drawn by a function cannot be listed or searched. Got tune.sample_from(...). "
        "Compute them in the training function from parameters that are drawn, or draw them "
        "always and say in `when` on what they depend."
    )


def _ray_table(table: Mapping[str, Any]) -> Axis:
    """``grid_search`` is a table with that key; other tables are plain values."""
    if set(table) == {"grid_search"}:
        return Choices(list(table["grid_search"]))
    drawn = [str(key) for key, value in table.items() if _is_searched(value)]
    if drawn:
        raise BadAxis(
            f"A space has no tables within tables. Got one that draws {', '.join(drawn)}. "
            'Name each parameter at the top, such as "model_depth".'
        )
    return Choices([table])


def _is_searched(value: Any) -> bool:
    """Whether a value, or one within it, is drawn or listed rather than plain."""
    if isinstance(value, Mapping):
        return set(value) == {"grid_search"} or any(map(_is_searched, value.values()))
    return hasattr(value, "sampler")


def _ray_range(domain: Any) -> Axis:
    """The axis of a domain with two bounds."""
    sampler, step = domain.sampler, None
    if hasattr(sampler, "q"):
        sampler, step = sampler.sampler, sampler.q
    drawn = "Uniform" if sampler is None else str(sampler)
    if drawn not in ("Uniform", "LogUniform"):
        raise BadAxis(
            f"There is no axis of numbers drawn as {drawn}. Got {_said(domain)}. "
            "Write the range that matters, such as tune.uniform(low, high)."
        )
    log = drawn == "LogUniform"
    if type(domain).__name__ == "Integer":  # `tune.uniform(0, 1)` has whole bounds, too
        return _ray_whole(domain, step, log=log)
    if step is None:
        return _between(domain.lower, domain.upper, log=log)
    if log:
        raise _no_log_steps(domain, step)
    first, last = _multiples(domain, step)
    exact = Fraction(repr(float(step)))
    return _stepped(float(first * exact), float(last * exact), step)


def _ray_whole(domain: Any, step: int | None, *, log: bool) -> Axis:
    # `randint` leaves its upper bound out, `qrandint` does so for steps of 1 only
    low, high = _multiples(domain, step or 1)
    by, last = step or 1, high if step and step != 1 else high - 1
    if log and by != 1:
        raise _no_log_steps(domain, by)
    if last < low:
        raise BadAxis(f"There is no whole number in {_said(domain)}. Widen it.")
    return _whole(low * by, last * by, step=by, log=log)


def _no_log_steps(domain: Any, step: float) -> BadAxis:
    return BadAxis(
        f"There is no axis of steps on a logarithmic scale. Got {_said(domain)} in steps of "
        f"{step}. Write it without steps, or list the values in tune.choice([...])."
    )


def _multiples(domain: Any, step: float) -> tuple[int, int]:
    """The first and last multiple of a step within the bounds."""
    low, high = domain.lower / step, domain.upper / step
    first = round(low) if isclose(low, round(low)) else ceil(low)
    last = round(high) if isclose(high, round(high)) else floor(high)
    return first, last


def _said(domain: Any) -> str:
    return f"{type(domain).__name__}({domain.lower}, {domain.upper})"


def _optuna_axis(found: Any) -> Axis:
    if hasattr(found, "choices"):
        return Choices(list(found.choices))
    if not all(hasattr(found, name) for name in ("low", "high", "log", "step")):
        raise WrongType(
            f"Not a distribution of Optuna: {shown(found)}. Pass what "
            "`trial.distributions` holds, or FloatDistribution(low, high)."
        )
    if isinstance(found.low, int):  # Optuna keeps ends of floats as floats
        return _whole(found.low, found.high, step=found.step, log=found.log)
    if found.step is not None:
        return _stepped(found.low, found.high, found.step)
    return _between(found.low, found.high, log=found.log)


def _space_of(
    found: object, axis_of: Callable[[Any], Axis], *, when: When | None, what: str
) -> Space:
    """The space of foreign axes by name, each checked by the rules of its parameter.

    Args:
        when: Conditions, as `Space` has them.

    Raises:
        SpaceError: An axis cannot be expressed; the message begins with the parameter.
    """
    if not isinstance(found, Mapping):
        raise WrongType(
            f"{what} must be a mapping by parameter. Got {shown(found)}. Name each one."
        )
    axes = {}
    for name, foreign in found.items():
        with blamed_on(str(name)):
            axes[name] = _ruled(
                parameter_of(name) if name in (when or {}) else name, axis_of(foreign)
            )
    return Space(axes, {} if when is None else when)


def _between(low: float, high: float, *, log: bool) -> Axis:
    """All numbers between two ends; a single value if they are equal."""
    if low == high:
        return Choices([float(low)])
    return LogRange(low, high) if log else Range(low, high)


def _stepped(low: float, high: float, step: float) -> Axis:
    """``low``, ``low + step``, ... up to ``high``, counted as decimals read.

    Raises:
        TooManyPoints: There are more than anybody could try.
    """
    first, by = Fraction(repr(float(low))), Fraction(repr(float(step)))
    n = int((Fraction(repr(float(high))) - first) / by) + 1
    _refuse_too_many(n, f"steps from {low} to {high}")
    return Range(low, float(first + (n - 1) * by), points=n) if n > 1 else Choices([float(low)])


def _whole(low: int, high: int, *, step: int = 1, log: bool = False) -> Axis:
    """Whole numbers from `low` to `high`, both included."""
    return LogIntRange(low, high) if log and low != high else IntRange(low, high, step)


def _refuse_too_many(n: int, what: str) -> None:
    if n > MAX_POINTS:
        raise TooManyPoints(
            f"{n:,} {what} are more than {MAX_POINTS:,}. "
            "Take a larger step, or a continuous range that the code rounds."
        )


def _ruled(name: str, axis: Axis) -> Axis:
    """The axis, if its values keep the rules of a known parameter."""
    if isinstance(axis, Choices):
        if name == TASK_WEIGHTS:
            first = axis.values[0]
            n_tasks = len(first) if isinstance(first, tuple) else 1
            return Choices(checked_weights(axis.values, n_tasks=n_tasks))
        return Choices(checked_numbers(name, axis.values)) if name in RULES else axis
    if name == TASK_WEIGHTS:
        raise BadAxis(
            f"Task weights are rows that sum to 1. Got {axis}. List the rows, or write "
            "{ simplex_step = 0.1 } or { dirichlet = 50 } in the study."
        )
    if name in RULES and isinstance(axis, LogRange | Range | IntRange | LogIntRange):
        checked_numbers(name, [axis.low, axis.high])
    return axis
