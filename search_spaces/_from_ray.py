"""Spaces from Ray Tune's ``param_space``; Ray stays outside, its parts are known by attributes.

A domain of Ray has bounds or categories, and a sampler that says how they are drawn.
"""

from collections.abc import Mapping
from fractions import Fraction
from math import ceil, floor, isclose
from typing import Any

from search_spaces._axis import Axis
from search_spaces._choices import Choices
from search_spaces._conditions import When
from search_spaces._foreign import between, space_of, stepped, whole
from search_spaces._space import Space
from search_spaces.errors import BadAxis


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
    return space_of(param_space, _axis, when=when, what="A param_space")


def _axis(found: Any) -> Axis:
    if isinstance(found, Mapping):
        return _table(found)
    if not hasattr(found, "sampler"):  # no domain, but a plain value
        return Choices([found])
    if hasattr(found, "categories"):
        return Choices(list(found.categories))
    if hasattr(found, "lower"):
        return _range(found)
    raise BadAxis(
        "Values drawn by a function cannot be listed or searched. Got tune.sample_from(...). "
        "Compute them in the training function from parameters that are drawn, or draw them "
        "always and say in `when` on what they depend."
    )


def _table(table: Mapping[str, Any]) -> Axis:
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


def _range(domain: Any) -> Axis:
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
        return _whole(domain, step, log=log)
    if step is None:
        return between(domain.lower, domain.upper, log=log)
    if log:
        raise _no_log_steps(domain, step)
    first, last = _multiples(domain, step)
    exact = Fraction(repr(float(step)))
    return stepped(float(first * exact), float(last * exact), step)


def _whole(domain: Any, step: int | None, *, log: bool) -> Axis:
    # `randint` leaves its upper bound out, `qrandint` does so for steps of 1 only
    low, high = _multiples(domain, step or 1)
    by, last = step or 1, high if step and step != 1 else high - 1
    if log and by != 1:
        raise _no_log_steps(domain, by)
    if last < low:
        raise BadAxis(f"There is no whole number in {_said(domain)}. Widen it.")
    return whole(low * by, last * by, step=by, log=log)


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
