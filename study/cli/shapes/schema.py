"""JSON Schemas of the shapes."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final

from pydantic import TypeAdapter

from study.cli._documents import FORMAT
from study.cli.shapes._words import WORDS

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
# notes of the library to itself; `discriminator` is a word of OpenAPI
_LEFT_OUT: Final = ("title", "discriminator")


def schema_of(verb: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what a verb prints.

    Args:
        verb: As it is typed, such as ``status`` or ``ray doctor``.
    """
    module = import_module(f"study.cli.shapes.{verb.replace(' ', '_')}")
    made = _cleared(TypeAdapter(module.SHAPE).json_schema())
    return {
        "$schema": _DRAFT,
        "$id": f"urn:weighbridge:{verb.replace(' ', '-')}:{FORMAT}",
        "title": f"weighbridge {verb} --json",
        **made,
    }


def _cleared(schema: Any, *, names: bool = False) -> Any:
    """The schema in fewer words.

    Args:
        names: Whether keys are names of ours and none of the language.
    """
    if isinstance(schema, list):
        return [_cleared(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return dict(_parts(schema, names=names))


def _parts(schema: dict[str, Any], *, names: bool) -> Iterator[tuple[str, Any]]:
    for key, value in schema.items():
        left_out = key in _LEFT_OUT or (key == "additionalProperties" and value is True)
        if names or not left_out:
            ours = key in ("properties", "$defs") and not names
            cleared = _cleared(value, names=ours)
            yield key, _described(cleared) if ours and key == "properties" else cleared


def _described(properties: dict[str, Any]) -> dict[str, Any]:
    """With the meaning of keys that several shapes have."""
    return {
        key: field
        if "description" in field or key not in WORDS
        else {**field, "description": WORDS[key]}
        for key, field in properties.items()
    }
