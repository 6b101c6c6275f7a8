"""Every verb has --json, and says of what shape it prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from study.cli._documents import DOCUMENTS
from study.cli._main import application

WITHOUT = {"dashboard", "schema"}
"""One serves until it is ended; the other prints JSON and nothing else."""


def verbs(command: Any, above: str = "") -> Iterator[tuple[str, bool]]:
    """The words of each verb, and whether it has --json."""
    of_group = getattr(command, "commands", {})
    for name, verb in of_group.items():
        yield from verbs(verb, f"{above}{name} ")
    if not of_group:
        yield above.strip(), any("--json" in param.opts for param in command.params)


def test_every_verb_has_json_and_a_schema() -> None:
    """A new one: describe it in `study/cli/shapes/`, then `python -m tests.golden.make_shapes`."""
    found = dict(verbs(get_command(application())))
    assert {verb for verb, has_json in found.items() if not has_json} == WITHOUT
    assert {verb for verb, has_json in found.items() if has_json} == {*DOCUMENTS}
