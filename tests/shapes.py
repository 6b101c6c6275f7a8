"""What verbs print with ``--json``, held against the schemas that `weighbridge schema` prints."""

from __future__ import annotations

import functools
import json
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from study.cli._documents import DOCUMENTS
from study.cli.shapes.schema import schema_of


def check(printed: str) -> dict[str, Any]:
    """One document as it was printed, with all that its schema asks for and nothing else."""
    found: dict[str, Any] = json.loads(printed, parse_constant=_no_number)
    wrong = best_match(_validator(found["document"]).iter_errors(found))
    assert wrong is None, f"{found['document']}{wrong.json_path[1:]}: {wrong.message}"
    return found


def _no_number(text: str) -> None:
    raise AssertionError(f"{text} is no JSON")


@functools.cache
def _validator(document: str) -> Draft202012Validator:
    """Of one document alone, so that what is wrong with it is said plainly."""
    (verb,) = (verb for verb, documents in DOCUMENTS.items() if document in documents)
    schema = schema_of(verb)
    forms = [schema, *schema.get("$defs", {}).values()]
    (form,) = (
        form
        for form in forms
        if form.get("properties", {}).get("document", {}).get("const") == document
    )
    return Draft202012Validator(
        {**form, "$defs": schema.get("$defs", {})},
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )
