"""A sealed study says the same, whatever its test values are, until it is unsealed."""

from __future__ import annotations

import io
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from storage import Reader
from storage.schema.views import VIEWS
from tests.integration.command import Said, command
from tests.integration.sealed_looks import LOOKS, NAME
from tests.integration.tiny_study import write_spec

REST = """
[compare]
sealed = true
claim = "UW-SO is better than equal weights."
[confirm]
seeds = 2
[[search]]
weighting = "ew"
stages = [{ lr = [0.05, 0.1] }]
[[search]]
weighting = "scalarization"
stages = [{ lr = [0.05] }, { task_weights = { simplex_step = 0.25 } }]
[[search]]
weighting = "uw-so"
stages = [{ lr = [0.05] }, { temperature = { line = [1, 10] } }]
"""
MORE = REST.replace("[0.05, 0.1]", "[0.05, 0.1, 0.2]")
ODD = REST.replace("sealed = true", "sealed = true\nmargin = 3.0")


def raw(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "weighbridge.db")) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def change_test_values(folder: Path) -> None:
    """As if all had come out otherwise on test, in another order."""
    raw(
        folder,
        "UPDATE epoch_values SET value = 7.0 + value / (run_id + 1) WHERE series_id IN "
        "(SELECT id FROM series WHERE split = 'test')",
        "UPDATE scores SET value_test = 70.0 - 3 * run_id, delta_m_test = 70.0 - 3 * run_id",
        "UPDATE baseline_values SET value = 9.0 + value WHERE split = 'test'",
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sealed")
    write_spec(folder, NAME, REST)
    assert command(folder, "run", f"{NAME}.toml", "--workers", "2").code == 0
    return folder


def looks(folder: Path) -> dict[str, list[object]]:
    return {verb: [look(folder) for look in looks] for verb, looks in LOOKS.items()}


def read(folder: Path) -> dict[str, Any]:
    """All that the reader tells of values."""
    reader = Reader(f"sqlite:///{folder / 'weighbridge.db'}")
    try:
        return {
            **{view: reader.view(view, NAME) for view in VIEWS},
            "test": reader.epochs(NAME, split="test"),
            "selected": reader.epochs(NAME, split="test", last=1),
            "negative": reader.lowest_negative(NAME),
            "changes": [run.value_test for run in reader.changes(NAME).runs],
        }
    finally:
        reader.close()


@pytest.fixture(scope="module")
def sealed(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is shown and read before and after test values are others."""
    before = looks(folder) | read(folder)
    change_test_values(folder)
    return before, looks(folder) | read(folder)


@pytest.mark.parametrize("what", [*LOOKS, *VIEWS, "test", "selected", "negative", "changes"])
def test_nothing_depends_on_test_values(
    sealed: tuple[dict[str, Any], dict[str, Any]], what: str
) -> None:
    before, after = sealed
    assert before[what] == after[what]


def test_comparisons_say_that_they_are_sealed_and_rank_by_validation(
    sealed: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    text, plain, *_ = sealed[0]["compare"]
    assert "Sealed" in " ".join(text.split())
    assert "unseal" in plain


def test_what_was_fixed_is_not_changed_and_the_wish_is_kept(folder: Path, sealed: object) -> None:
    write_spec(folder, NAME, ODD)
    assert "[compare] margin" in command(folder, "run", f"{NAME}.toml").err
    write_spec(folder, NAME, REST.replace("sealed = true", ""))
    assert "[compare] sealed" in command(folder, "run", f"{NAME}.toml").err
    write_spec(folder, NAME, MORE)
    assert command(folder, "run", f"{NAME}.toml", "--workers", "2").code == 0


@pytest.fixture(scope="module")
def unsealed(
    folder: Path, sealed: tuple[dict[str, Any], dict[str, Any]]
) -> tuple[Said, Said, Said]:
    """A refusal, the unsealing, and the same command again."""
    test_what_was_fixed_is_not_changed_and_the_wish_is_kept(folder, sealed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO("n\n"))
        refused = command(folder, "unseal", NAME)
    assert read(folder)["test"] == ({}, [])
    return refused, command(folder, "unseal", NAME, "--yes"), command(folder, "unseal", NAME)


def test_unsealing_asks_first(unsealed: tuple[Said, Said, Said]) -> None:
    refused, *_ = unsealed
    assert refused.code == 130
    assert "Show the test values of kept from now on?" in refused.err


def test_unsealing_lists_what_was_fixed_changed_and_refused(
    unsealed: tuple[Said, Said, Said],
) -> None:
    _, done, again = unsealed
    assert (done.code, again.code) == (0, 0)
    for said in (done, again):
        assert "UW-SO is better than equal weights." in said.text
        assert "[compare] margin: 1.0 -> 3.0" in said.text
        assert "[compare] sealed: true -> false" in said.text
        assert "search ew: stage 1" in said.text
        assert "kept is unsealed" in said.text


def test_programs_are_told_of_it_all(folder: Path, unsealed: object) -> None:
    told = command(folder, "unseal", NAME, "--json").json
    assert (told["changed"], told["before"], told["after"]) == (False, *2 * [{"sealed": False}])
    history = told["history"]
    assert history["claim"] == "UW-SO is better than equal weights."
    assert "[compare] margin: 1.0 -> 3.0" in [
        key for change in history["late_changes"] for key in change["keys"]
    ]
    assert {change["accepted"] for change in history["late_changes"]} == {True, False}


def test_then_test_values_are_shown(folder: Path, unsealed: object) -> None:
    first = {verb: LOOKS[verb][0] for verb in ("compare", "table", "report", "export")}
    shown = {verb: look(folder) for verb, look in first.items()} | read(folder)
    raw(folder, "UPDATE scores SET value_test = value_test + 1, delta_m_test = delta_m_test + 1")
    raw(
        folder,
        "UPDATE epoch_values SET value = value + 1 WHERE series_id IN "
        "(SELECT id FROM series WHERE split = 'test')",
    )
    other = {verb: look(folder) for verb, look in first.items()} | read(folder)
    for what in (*first, "run_results", "epoch_metrics", "changes", "test"):
        assert shown[what] != other[what]


def test_a_study_that_was_never_sealed_says_so(folder: Path, unsealed: object) -> None:
    write_spec(folder, "open", REST.replace("sealed = true", ""))
    raw(folder, "UPDATE studies SET sealed_at = NULL, unsealed_at = NULL")
    assert "never sealed" in command(folder, "unseal", NAME).text
    told = command(folder, "unseal", NAME, "--json").json
    assert (told["changed"], told["sealed_at"], told["history"]) == (False, None, None)
