"""Commands in messages are complete: copied, they reach the study that was meant."""

from __future__ import annotations

import shlex
from typing import Annotated

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from storage.errors import BadAmount
from study.cli._options import again, limits_of_words
from study.commands import DEFAULT_STORAGE, command_line, default_storage
from study.errors import BadSpec

SERVER = "postgresql://me:secret@host/db"


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WEIGHBRIDGE_STORAGE", raising=False)


@given(words=st.lists(st.text(), max_size=4), name=st.text(min_size=1))
def test_a_shell_reads_the_words_back(words: list[str], name: str) -> None:
    line = command_line("run", *words, storage=f"sqlite:///{name}")
    assert shlex.split(line)[:2] == ["weighbridge", "run"]
    assert shlex.split(line)[2 : 2 + len(words)] == words
    assert shlex.split(line)[-2:] == ["--storage", f"sqlite:///{name}"]


def test_the_default_needs_no_word() -> None:
    assert command_line("run", "a.toml", storage=DEFAULT_STORAGE) == "weighbridge run a.toml"


@pytest.mark.parametrize("url", ["sqlite:///other.db", "postgresql://host/db"])
def test_a_storage_from_the_environment_is_named(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEIGHBRIDGE_STORAGE", url)
    assert command_line("run", "a", storage=url).endswith(f"--storage {url}")
    assert default_storage() == url


def test_the_default_is_named_where_the_environment_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WEIGHBRIDGE_STORAGE", "sqlite:///other.db")
    assert command_line("run", "a", storage=DEFAULT_STORAGE).endswith(DEFAULT_STORAGE)


def test_passwords_are_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "secret" not in command_line("run", "a", storage=SERVER)
    assert "me:***@host/db" in command_line("run", "a", storage=SERVER)
    monkeypatch.setenv("WEIGHBRIDGE_STORAGE", SERVER)
    assert command_line("run", "a", storage=SERVER) == "weighbridge run a"


def test_the_command_in_progress_is_typed_once_more() -> None:
    app, said = typer.Typer(), list[list[str]]()

    @app.command()
    def run(  # the parameters are those of a verb
        context: typer.Context,
        study: str,
        limit: Annotated[list[str] | None, typer.Option()] = None,
        flag: Annotated[bool, typer.Option("--yes/--no")] = False,
        once: Annotated[bool, typer.Option("--once")] = False,
        storage: Annotated[str, typer.Option()] = "x",
    ) -> None:
        said.append(again(context, without=["once"]))

    @app.command()
    def other() -> None: ...

    words = ["my study", "--limit", "a=1", "--limit", "b=2", "--yes", "--once"]
    result = CliRunner().invoke(app, ["run", *words, "--storage", "sqlite:///x"])
    assert result.exit_code == 0
    assert said == [["run", "my study", "--limit", "a=1", "--limit", "b=2", "--yes"]]


def test_limits_are_told_by_unit_or_by_name() -> None:
    limits = limits_of_words(["200epochs", "1.5h", "wall_s=30min", "money=2.5", "trials=7"])
    assert limits == {
        "epochs": 200,
        "device_s": 5400.0,
        "wall_s": 1800.0,
        "money": 2.5,
        "trials": 7,
    }


@pytest.mark.parametrize(
    "words", [["epochs=2000", "money=1", "3000epochs"], ["8h", "wall_s=9h", "device_s=9h"]]
)
def test_a_limit_is_set_once(words: list[str]) -> None:
    with pytest.raises(BadSpec, match=f"Got {words[0]} and {words[2]}"):
        limits_of_words(words)


@pytest.mark.parametrize("words", [["epochs=8h"], ["30runs"], ["lr=1"]])
def test_what_is_no_limit_is_refused(words: list[str]) -> None:
    with pytest.raises(BadAmount, match=f"of device_s, wall_s, trials.* Got '{words[0]}'"):
        limits_of_words(words)
