"""Spaces from their TOML and JSON form.

==============================================  =================================================
form                                            axis
==============================================  =================================================
``[0.001, 0.01]`` or ``{line = [1, 5, 20]}``    `Choices`
``{log_range = [1e-5, 0.1], points = 5}``       `LogRange`; continuous without `points`
``{range = [0, 0.5], points = 6}``              `Range`; continuous without `points`
``{int_range = [1, 64], step = 8}``             `IntRange`; `step` is 1 if left out
``{log_int_range = [8, 512], points = 7}``      `LogIntRange`; all whole numbers without `points`
``{simplex_step = 0.1, boundary = true}``       `SimplexGrid`; `boundary` is false if left out
``{dirichlet = 50, floor = 0.02}``              `SimplexRandom`; `floor` is 0 if left out
``{dirichlet = 36, groups = [[1, 2], [3]]}``    `SimplexGroups`; with `simplex_step`, too
==============================================  =================================================

The last three are for `task_weights` alone, whose list has one row of weights per point. Any table
may say `when = {optimizer = "sgd"}`: the parameter is there for that value of another one only, or
for one of several in a list. `lr@sgd` and `lr@adam` are `lr` where their conditions hold.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, cast

from search_spaces._axis import Axis
from search_spaces._choices import Choices
from search_spaces._ranges import LogRange, Range
from search_spaces._rules import RULES, TASK_WEIGHTS, checked_numbers, checked_weights
from search_spaces._shown import shown
from search_spaces._simplex_grid import SimplexGrid
from search_spaces._simplex_groups import SimplexGroups, checked_groups
from search_spaces._simplex_random import SimplexRandom
from search_spaces._space import Space
from search_spaces._values import Value, as_count
from search_spaces.errors import BadAxis, UnknownKey, WrongType, blamed_on
from search_spaces.variants import parameter_of
from search_spaces.whole import IntRange, LogIntRange

_Plain = Mapping[str, object]


def axis_from_plain(name: str, plain: object, *, n_tasks: int) -> Axis:
    """The axis that a plain form describes.

    Args:
        name: The parameter; known ones have rules of their own, `lr` must be above 0 for one.
        plain: See the table of forms above. An axis' own `to_plain()` gives the axis back.
        n_tasks: T, the length of `task_weights`.

    Raises:
        UnknownKey: A key belongs to no form, or not to this one.
        BadAxis: The form does not fit the parameter, or describes no axis.
        BadValue: A value breaks a rule.
        WrongType: A value has the wrong type.
    """
    as_count(n_tasks, what="`n_tasks`")
    with blamed_on(name):
        if isinstance(plain, list | tuple):
            return _listed(name, plain, n_tasks)
        if isinstance(plain, Mapping):
            return _formed(name, plain, n_tasks)
        raise WrongType(
            f"An axis is a list or a table. Got {shown(plain)}. "
            f"Write a single value as [{shown(plain)}], a range as {{ log_range = [low, high] }}."
        )


def space_from_plain(plain: Mapping[str, object], *, n_tasks: int) -> Space:
    """The space that plain forms describe, one per parameter, in their order.

    Raises:
        SpaceError: As `axis_from_plain` does; the message begins with the parameter.
    """
    if not isinstance(plain, Mapping):
        raise WrongType(
            f"A space is a table of parameters. Got {shown(plain)}. Write {{ lr = [...] }}."
        )
    axes: dict[str, Axis] = {}
    when: dict[str, Any] = {}
    for name, form in plain.items():
        bare = form
        if isinstance(form, Mapping) and "when" in form:
            when[name] = form["when"]
            bare = {key: part for key, part in form.items() if key != "when"}
        of = parameter_of(name) if name in when else name
        with blamed_on(name) if of != name else nullcontext():
            axes[name] = axis_from_plain(of, bare, n_tasks=n_tasks)
    return Space(axes, when)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """One way to write an axis: its options beside the leading key, and what it may describe."""

    build: Callable[[str, _Plain, int], Axis]
    options: tuple[str, ...] = ()
    numbers: bool = True
    weights: bool = True

    def fits(self, name: str) -> bool:
        return self.weights if name == TASK_WEIGHTS else self.numbers


def _listed(name: str, values: object, n_tasks: int) -> Axis:
    if not isinstance(values, list | tuple):
        raise WrongType(f"The values must be a list. Got {shown(values)}. Write [a, b, ...].")
    if name == TASK_WEIGHTS:
        return Choices(checked_weights(values, n_tasks=n_tasks))
    # Without a rule the values may be anything; Choices refuses what no point can hold.
    numbers = checked_numbers(name, values) if name in RULES else values
    return Choices(cast("Sequence[Value]", numbers))


def _log_range(_name: str, plain: _Plain, _n_tasks: int) -> Axis:
    low, high = _ends("log_range", plain)
    return LogRange(low, high, cast("int | None", plain.get("points")))


def _range(name: str, plain: _Plain, _n_tasks: int) -> Axis:
    low, high = _ends("range", plain)
    if name in RULES:
        low, high = checked_numbers(name, [low, high])
    return Range(low, high, cast("int | None", plain.get("points")))


def _int_range(name: str, plain: _Plain, _n_tasks: int) -> Axis:
    low, high = _checked_ends(name, "int_range", plain)
    return IntRange(low, high, cast("int", plain.get("step", 1)))


def _log_int_range(name: str, plain: _Plain, _n_tasks: int) -> Axis:
    low, high = _checked_ends(name, "log_int_range", plain)
    return LogIntRange(low, high, cast("int | None", plain.get("points")))


def _checked_ends(name: str, key: str, plain: _Plain) -> Sequence[int]:
    """Both ends as they are written, after the rules of a known parameter."""
    ends = _ends(key, plain)
    if name in RULES:
        checked_numbers(name, ends)
    return cast("Sequence[int]", ends)


def _ends(key: str, plain: _Plain) -> Sequence[float]:
    ends = plain[key]
    if not isinstance(ends, list | tuple) or len(ends) != 2:
        raise WrongType(f"`{key}` must be two numbers. Got {shown(ends)}. Write [low, high].")
    return ends


def _simplex_grid(_name: str, plain: _Plain, n_tasks: int) -> Axis:
    step = cast("float", plain["simplex_step"])
    boundary = cast("bool", plain.get("boundary", False))
    return _grouped(plain, n_tasks, lambda n: SimplexGrid(n, step, boundary))


def _simplex_random(_name: str, plain: _Plain, n_tasks: int) -> Axis:
    points = cast("int", plain["dirichlet"])
    floor = cast("float", plain.get("floor", 0.0))
    return _grouped(plain, n_tasks, lambda n: SimplexRandom(n, points, floor))


def _grouped(
    plain: _Plain, n_tasks: int, build: Callable[[int], SimplexGrid | SimplexRandom]
) -> Axis:
    """Weights of tasks, or of groups of them."""
    if "groups" not in plain:
        return build(n_tasks)
    groups = checked_groups(plain["groups"])
    return SimplexGroups(n_tasks, groups, build(len(groups)))


_FORMS = {
    "line": _Form(build=lambda name, plain, n_tasks: _listed(name, plain["line"], n_tasks)),
    "log_range": _Form(build=_log_range, options=("points",), weights=False),
    "range": _Form(build=_range, options=("points",), weights=False),
    "int_range": _Form(build=_int_range, options=("step",), weights=False),
    "log_int_range": _Form(build=_log_int_range, options=("points",), weights=False),
    "simplex_step": _Form(build=_simplex_grid, options=("boundary", "groups"), numbers=False),
    "dirichlet": _Form(build=_simplex_random, options=("floor", "groups"), numbers=False),
}
_ALL_KEYS = sorted({*_FORMS, *(option for form in _FORMS.values() for option in form.options)})


def _formed(name: str, plain: _Plain, n_tasks: int) -> Axis:
    _refuse_unknown(plain)
    leading = [key for key in plain if key in _FORMS]
    if len(leading) != 1:
        raise BadAxis(
            f"Exactly one of {_quoted(_FORMS)} makes an axis. Got {_quoted(plain) or 'none'}. "
            "Keep one of them."
        )
    form = _FORMS[leading[0]]
    stray = [key for key in plain if key not in (leading[0], *form.options)]
    if stray:
        raise UnknownKey(
            f"{_quoted(stray)} does not go with `{leading[0]}`. "
            f"Allowed beside it: {_quoted(form.options) or 'nothing'}."
        )
    if not form.fits(name):
        whom = "parameters with one number" if form.numbers else f"`{TASK_WEIGHTS}`"
        fitting = [key for key, other in _FORMS.items() if other.fits(name)]
        raise BadAxis(f"`{leading[0]}` is for {whom}. Write a list, or one of {_quoted(fitting)}.")
    return form.build(name, plain, n_tasks)


def _refuse_unknown(plain: _Plain) -> None:
    from difflib import get_close_matches  # only ever needed on the way to an error

    for key in plain:
        if key not in _ALL_KEYS:
            close = get_close_matches(str(key), _ALL_KEYS, n=1)
            hint = f" Did you mean `{close[0]}`?" if close else ""
            raise UnknownKey(f"Unknown key `{key}`.{hint} Allowed: {', '.join(_ALL_KEYS)}.")


def _quoted(keys: Mapping[str, object] | Sequence[str]) -> str:
    return ", ".join(f"`{key}`" for key in keys)
