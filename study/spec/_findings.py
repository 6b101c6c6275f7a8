"""What is wrong with a spec, in plain words, one line each: pydantic's findings, and ours.

Ours are about values that could not be stored, shown or hashed, whatever they mean.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from inspect import isclass
from numbers import Real
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from study.spec._toml import MOST_NESTED
from trainers.suggestions import did_you_mean

MOST_OF_A_LIST = 10_000
MOST_OF_A_NAME = 100
MOST_OF_A_TEXT = 10_000

MOST_FOUND = 20
"""Of one spec; one slip can make thousands."""
_WIDEST = 2**63

KeyPath = tuple[str | int, ...]

_LISTED = ("search", "followup")
"""Sections of which a spec may have several."""

_MOST_SHOWN = 60
_LINK = re.compile(r"\[[^]]*\]\(\.\./([^)]*)\)")  # as the reference page has them

# Type of a finding -> the rule; names in braces are pydantic's context.
_RULES = {
    "bool_type": "must be true or false",
    "dict_type": "must be a table",
    "finite_number": "must be a finite number",
    "float_type": "must be a number",
    "greater_than": "must be above {gt:g}",
    "greater_than_equal": "must be {ge:g} or above",
    "int_type": "must be a whole number",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le:,.13g}",
    "list_type": "must be a list",
    "literal_error": "must be {expected}",
    "model_type": "must be a table",
    "string_type": "must be text in quotes",
    "too_long": "must have at most {max_length:,} values",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
}


def findings(error: ValidationError, spec: type[BaseModel]) -> list[str]:
    """One line a finding: its place, the rule, what was found, what the key is for.

    Where one slip makes hundreds, as a wrong type in a long list does, the first are told.
    """
    details = error.errors()
    told = [_finding(detail, spec) for detail in details[:MOST_FOUND]]
    n_more = len(details) - len(told)
    return [*told, f"... and {n_more:,} more."] if n_more else told


def unfit_findings(plain: Mapping[str, Any], spec: type[BaseModel]) -> list[str]:
    """One line for each value that could not be stored or shown: its place and the rule."""
    return [f"{_shown_place(place, spec)} {finding}" for place, finding in unfit(plain)]


def unfit(plain: object) -> list[tuple[KeyPath, str]]:
    """Places of values that no database, page or message could hold, each with its finding.

    A handful is enough: what is nested without end, or in itself, is not followed.
    """
    found: list[tuple[KeyPath, str]] = []
    waiting: list[tuple[KeyPath, object]] = [((), plain)]
    while waiting and len(found) < MOST_FOUND:
        place, value = waiting.pop()
        if len(place) > MOST_NESTED:
            found.append((place, _nested()))
        elif isinstance(value, Mapping):
            found += [(place, finding) for key in value for finding in _of_key(key)]
            waiting += [((*place, str(key)), part) for key, part in reversed(list(value.items()))]
        elif isinstance(value, list | tuple):
            found += [(place, finding) for finding in _of_list(value)]
            last = min(len(value), MOST_OF_A_LIST)
            waiting += [((*place, i), value[i]) for i in reversed(range(last))]
        else:
            found += [(place, finding) for finding in _of_value(value)]
    return found[:MOST_FOUND]


def _nested() -> str:
    return f"must not lie more than {MOST_NESTED} deep in tables and lists. Got more. Flatten it."


def _of_key(key: object) -> Iterator[str]:
    if not isinstance(key, str):
        yield f"must have text for its keys. Got {type(key).__name__}. Put the key in quotes."
    elif len(key) > MOST_OF_A_NAME:
        yield f"must have keys of at most {MOST_OF_A_NAME} characters. {_long(key)} Shorten it."
    elif not key.isprintable():
        yield f"must have keys of printable text. Got {key!a}. Rename it."


def _of_list(value: Sequence[Any]) -> Iterator[str]:
    if len(value) > MOST_OF_A_LIST:
        yield (
            f"must have at most {MOST_OF_A_LIST:,} values. Got {len(value):,}. "
            "Drop some, or write a range."
        )


def _of_value(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) > MOST_OF_A_TEXT:
            yield f"must have at most {MOST_OF_A_TEXT:,} characters. {_long(value)} Shorten it."
        elif not _is_storable(value):
            yield (
                "must be text that can be stored: Unicode, without the character NUL. "
                f"Got {_cut(ascii(value))}. Change it."
            )
    elif isinstance(value, int):
        if not -_WIDEST <= value < _WIDEST:
            yield (
                "must fit into 64 bits, as whole numbers do: below 9.2e18. "
                f"Got one of {value.bit_length()} bits. Change it."
            )
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield f"must be a finite number. Got {value}. Change it."
    elif value is not None and not isinstance(value, Real) and not hasattr(value, "tolist"):
        kind = type(value).__name__
        yield (
            "must be a number, text in quotes, true or false, a list or a table. "
            f"Got {_cut(repr(value))}, a {kind}. Put it in quotes, or drop it."
        )


def _is_storable(text: str) -> bool:
    """Whether each database and each page can hold it."""
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def _long(text: str) -> str:
    return f"Got {len(text):,}: {_cut(ascii(text))}."


def _finding(detail: Any, spec: type[BaseModel]) -> str:
    kind, place = detail["type"], _without_forms(detail["loc"])
    if kind == "extra_forbidden":
        return _unknown_key(detail["loc"], spec)
    if kind == "missing":
        return f"{_shown_place(place, spec)} is missing. Add it{_purpose(place, spec)}"
    if kind == "value_error":
        message = detail["msg"].removeprefix("Value error, ")
        where = _shown_place(place, spec)
        return f"{where.rstrip(',')}: {message}" if message[0] == "`" else f"{where} {message}"
    rule = _RULES.get(kind, f"does not fit ({detail['msg']})")
    rule = rule.format(**detail.get("ctx", {})).replace("False", "false")
    found = shown_value(detail["input"])
    if kind == "unknown_kind":
        key, _, rule = detail["msg"].partition(" ")
        place.append(key)
        found = shown_value(detail["input"][key]) if key in detail["input"] else "none"
    return f"{_shown_place(place, spec)} {rule}. Got {found}. Change it{_purpose(place, spec)}"


def _without_forms(path: Sequence[Any]) -> list[Any]:
    """A place as users write it: "<...>" marks a form of a union, which is ours to name."""
    return [part for part in path if not str(part).startswith("<")]


def _unknown_key(path: Sequence[Any], spec: type[BaseModel]) -> str:
    *above, key = path
    section = _without_forms(above)
    allowed = _fields_at(section, spec)
    if key in allowed:  # of another form
        place, form = [*section, key], str(above[-1]).strip("<>")
        purpose = _purpose(place, spec)
        return f"{_shown_place(place, spec)} does not go with {form}. Drop it{purpose}"
    where = f" in {_shown_place(section, spec)}" if section else ""
    hint = did_you_mean(str(key), allowed)
    return f"Unknown key `{key}`{where}.{hint} Allowed: {', '.join(sorted(allowed))}."


def _shown_place(place: Sequence[Any], spec: type[BaseModel]) -> str:
    """``[training] `epochs` ``, ``[[search]] 2, `weighting` `` or `` `seeds`, value 1``."""
    if not place:
        return "The spec"
    section, rest = "", list(place)
    if rest[0] in _LISTED:
        section, rest = f"[[{rest[0]}]]", rest[1:]
        if rest and isinstance(rest[0], int):
            section, rest = f"{section} {rest[0] + 1}{',' if rest[1:] else ''}", rest[1:]
    elif rest[0] in spec.model_fields and _fields_at(rest[:1], spec):
        section, rest = f"[{rest[0]}]", rest[1:]
    steps = [
        f"value {part + 1}" if isinstance(part, int) else f"`{_cut(_word(part))}`" for part in rest
    ]
    after = "," if rest and isinstance(rest[-1], int) else ""
    key = ", ".join(steps).replace("`, `", ".")
    return " ".join(part for part in (section, key) if part) + after


def _purpose(place: Sequence[Any], spec: type[BaseModel]) -> str:
    """What the key is for, by its description; a value of a list is for what its list is."""
    *section, key = [part for part in place if isinstance(part, str)] or [""]
    field = _fields_at(section, spec).get(key)
    if field is None or not field.description:
        return "."
    plain = _LINK.sub(r"docs/\1", field.description)
    return f": {plain[0].lower()}{plain[1:]}"


def _fields_at(place: Sequence[Any], spec: type[BaseModel]) -> Mapping[str, FieldInfo]:
    """The keys of a section, in any of its forms; none inside a free table."""
    found: Any = spec
    for part in place:
        if isinstance(part, str):
            field = _fields_of(found).get(part)
            found = None if field is None else field.annotation
    return _fields_of(found)


def _fields_of(annotation: Any) -> Mapping[str, FieldInfo]:
    if isclass(annotation) and issubclass(annotation, BaseModel):
        return {field.alias or key: field for key, field in annotation.model_fields.items()}
    return {key: field for part in get_args(annotation) for key, field in _fields_of(part).items()}


def _word(part: object) -> str:
    return str(part) if str(part).isprintable() else ascii(part)


def shown_value(value: object) -> str:
    """A value as it is quoted in a message, cut if it is long."""
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return _cut(text)


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
