"""The shapes of what is printed with --json change on purpose only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from study.cli._documents import DOCUMENTS, FORMAT, Document
from study.cli.shapes.schema import schema_of
from tests.golden.make_shapes import FOLDER, file_of, text_of

# a unit stands at the end of the name of what is measured
WITHOUT_UNIT = ("seconds", "_ms_", "minutes", "_sec", "duration", "elapsed", "_time")


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    """A schema, and all schemas in it."""
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from parts(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from parts(value)


@pytest.mark.parametrize("verb", DOCUMENTS)
def test_a_schema_is_as_it_was_released(verb: str) -> None:
    assert text_of(verb) == file_of(verb).read_text(encoding="utf-8"), (
        f"What `weighbridge {verb} --json` prints has changed. If it should: "
        "python -m tests.golden.make_shapes"
    )


@pytest.mark.parametrize("verb", DOCUMENTS)
def test_a_schema_is_one(verb: str) -> None:
    schema = schema_of(verb)
    Draft202012Validator.check_schema(schema)
    forms = [part for part in parts(schema) if "document" in part.get("properties", {})]
    assert {form["properties"]["document"]["const"] for form in forms} == {*DOCUMENTS[verb]}
    assert {form["properties"]["format"]["const"] for form in forms} == {FORMAT}


@pytest.mark.parametrize("verb", DOCUMENTS)
def test_every_object_is_described_and_closed(verb: str) -> None:
    objects = [part for part in parts(schema_of(verb)) if "properties" in part]
    assert objects
    for found in objects:
        assert found["description"]
        assert found["additionalProperties"] is False
        assert {*found["required"]} == {*found["properties"]}
        described = {key for key, field in found["properties"].items() if field.get("description")}
        assert {*found["properties"]} - described <= {"document"}
        assert not [key for key in found["properties"] if key.endswith(WITHOUT_UNIT)]


def test_no_file_is_left_over() -> None:
    assert {*FOLDER.iterdir()} == {file_of(verb) for verb in DOCUMENTS}
    assert {*get_args(Document)} == {name for names in DOCUMENTS.values() for name in names}
    assert json.loads(file_of("status").read_text())["$id"] == f"urn:weighbridge:status:{FORMAT}"
