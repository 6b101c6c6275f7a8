"""The page of what verbs print with ``--json``, made of its shapes; `make_reference` writes it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
_KINDS = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
    "object": "object",
    "null": "null",
}
_HEAD = """\
# What --json prints

One JSON object on standard output and nothing else; messages and progress go to standard error. An
error is one message there, with the exit code of [the verb](cli.md), and no JSON. `weighbridge
schema VERB` prints the same as a JSON Schema (draft 2020-12).

Every object begins with `format` (now {now}) and `document`, its name below. `format` rises when a
key goes or changes its name, type or meaning; keys may be added at any time, so leave alone what
you do not know. Keys come in a fixed order. All keys of an object are always there: a number that
does not exist is null (JSON has neither NaN nor infinity), and a key beside it or its meaning below
says why. Times are ISO 8601 with their zone, amounts have their unit in the name (`_s` seconds,
`_bytes`), shares go from 0 to 1, and Δm is in percent, negative is better."""
_SAME_IN_ALL = ("format", "document")


def json_page() -> Iterator[str]:
    """Every document: its keys, their types and meanings."""
    from study.cli._documents import DOCUMENTS, FORMAT
    from study.cli.shapes.schema import schema_of

    yield _HEAD.format(now=FORMAT)
    for verb in DOCUMENTS:
        schema = schema_of(verb)
        shapes = schema.get("$defs", {})
        documents = [shapes[_name(part)] for part in schema.get("anyOf", ())] or [schema]
        yield from ("", f"## weighbridge {verb}")
        for document in documents:
            name = document["properties"]["document"]["const"]
            yield from ("", f"### `{name}`", "", _text(document["description"]), "")
            yield from _table(document)
        inner = [name for name, shape in shapes.items() if shape not in documents]
        for name in inner:
            if "properties" in shapes[name]:
                yield from ("", f"**`{name}`**: {_text(shapes[name]['description'])}", "")
                yield from _table(shapes[name])
            else:
                listed = ", ".join(f"`{value}`" for value in shapes[name]["enum"])
                yield from ("", f"**`{name}`**: {listed}.")


def _table(shape: Schema) -> Iterator[str]:
    yield "| key | type | meaning |"
    yield "|---|---|---|"
    for key, field in shape["properties"].items():
        if key not in _SAME_IN_ALL:
            yield f"| `{key}` | {_type(field)} | {_text(field.get('description', ''))} |"


def _type(field: Schema) -> str:
    if forms := field.get("anyOf") or field.get("oneOf"):
        return " or ".join(dict.fromkeys(_type(form) for form in forms))
    if "$ref" in field:
        return f"`{_name(field)}`"
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" if value else "empty" for value in field["enum"])
    if "type" not in field:
        return "any"
    if field["type"] == "array":
        return f"list of {_type(field['items'])}"
    if field["type"] == "object" and "additionalProperties" in field:
        return f"object of {_type(field['additionalProperties'])}"
    return _KINDS[field["type"]]


def _name(reference: Schema) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def _text(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")
