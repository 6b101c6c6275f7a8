"""Verbs that look at databases of released schemas, whose specs lack what came later."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage import Reader
from storage.planning.opened import SPEC_DEFAULTS
from tests.integration.command import command
from tests.unit.study.specs import spec_of

VERBS = [
    ("status",),
    ("status", "demo"),
    ("status", "demo", "--json"),
    ("budget", "demo"),
    ("audit",),
    ("compare", "demo"),
    ("compare", "demo", "--json"),
    ("compare", "demo", "--at", "1epochs"),
    ("replay", "demo"),
    ("report", "demo", "-o", "report.html"),
    ("export", "demo", "-o", "runs.csv"),
    ("export", "demo", "-o", "scores.csv", "--by-seed"),
    ("claims", "demo"),
    ("table", "demo"),
    ("log", "demo"),
    ("log", "demo", "1"),
]
FILES = sorted(Path(__file__).parent.glob("schema_*.db"))
CARD = {
    "tasks": [
        {"name": "a", "metrics": [{"name": "error", "direction": "min"}]},
        {"name": "b", "metrics": [{"name": "score", "direction": "max"}]},
    ]
}


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with a copy of a saved database, whose card and points are as studies had them."""
    copy = shutil.copy(request.param, tmp_path / "weighbridge.db")
    with closing(sqlite3.connect(copy)) as connection, connection:
        columns = {row[1] for row in connection.execute("PRAGMA table_info(trials)")}
        for column in columns & {"params", "written"}:
            connection.execute(f"""UPDATE trials SET {column} = '{{"lr":0.' || id || '}}'""")
        connection.execute("UPDATE studies SET card = ?", [json.dumps(CARD)])
    return tmp_path


def test_every_verb_that_looks_shows_an_old_study(
    folder: Path, request: pytest.FixtureRequest
) -> None:
    """All of the oldest, which goes through every migration; a third of each later one."""
    at = FILES.index(request.node.callspec.params["folder"])
    for verb in VERBS[at % 3 :: 3] if at else VERBS:
        said = command(folder, *verb)
        assert (said.code, said.err) == (0, ""), verb
        if "--json" in verb:
            json.loads(said.out)


@pytest.mark.parametrize("verb", ["plan", "network", "run"])
def test_a_verb_that_needs_a_whole_spec_says_what_is_missing(folder: Path, verb: str) -> None:
    said = command(folder, verb, "demo")
    assert said.code == 2
    assert said.err.startswith("error The spec of the stored study demo has errors")
    assert "`training` is missing" in said.err.replace("[training]", "`training`")


def test_what_an_old_spec_leaves_unsaid_is_what_a_new_one_has_by_default(folder: Path) -> None:
    written = {"problem", "baseline"}  # without them, an old study has none
    new = spec_of(objective="sum.mae").to_plain()
    required = {"name", "seeds", "training", "search"}
    expected = {key: value for key, value in new.items() if key not in required | written}
    assert expected == {**SPEC_DEFAULTS, "objective": "sum.mae"}
    reader = Reader(f"sqlite:///{folder / 'weighbridge.db'}")
    spec = reader.study("demo").spec
    reader.close()
    assert spec == {**SPEC_DEFAULTS, "seeds": [0]}
