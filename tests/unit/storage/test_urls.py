"""A storage URL that is accepted keeps what is stored; any other is refused in one sentence."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import URL

from storage import Reader, Storage, StorageError, database_file
from storage.database.urls import checked_url, connect_options, known_options, secrets, shown
from tests.contract.storage_backends import postgres_schema

_SAVE = {"spec": {}, "card": {}, "fingerprint": "f", "searches": ()}
_SECRET = "hush"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket")
    return tmp_path


@pytest.mark.parametrize(
    ("url", "finding"),
    [
        ("sqlite:///", "Got a URL without one"),
        ("sqlite://", "Got a URL without one"),
        ("sqlite:///:memory:", "Got a URL without one"),
        ("sqlite:///file:x.db", "Got a URL without one"),
        (":memory:", "Got one that is neither"),
        ("sqlite:///q?x.db", "Got one with a question mark"),
        ("sqlite:///x.db?mode=ro", "Got one with a question mark"),
        ("sqlite:///x.db?timeout=abc", "Got one with a question mark"),
        ("sqlite+pysqlite:///x.db?uri=true", "Got one with a question mark"),
        ("sqlite://abs.db", "Got one with a host"),
        ("sqlite://user@host/x.db", "Got one with a host"),
        ("sqlite:///folder", "Got a folder"),
        ("sqlite:///new/", "Got a folder"),
        ("sqlite:///.", "Got a folder"),
        ("sqlite:///pipe", "Got a device, a pipe or a socket"),
        ("sqlite:///socket", "Got a device, a pipe or a socket"),
        ("sqlite:////dev/null", "Got a device, a pipe or a socket"),
        (f"sqlite:///{'x' * 300}.db", "File name too long"),
        ("sqlite:///x%00.db", "it is no name of a file"),
        ("sqlite:///x\ud800.db", "it is no name of a file"),
        ("sqlite+aiosqlite:///x.db", "another database or driver"),
        ("sqlite+pysqlcipher:///x.db", "another database or driver"),
        ("mysql://host/x", "another database or driver"),
        ("postgresql+psycopg2://host/x", "another database or driver"),
        ("postgresql+nonsense://host/x", "another database or driver"),
        ("postgres://host/x", "another database or driver"),
        ("postgresql://host:port/x", "Got one that is neither"),
        ("postgresql://host/x\ud800", "Got one that is neither"),
        ("postgresql://host/x%00", "NUL character"),
        ("postgresql://host/x?timeout=3", "Got 1 that are none of these"),
        ("postgresql://host/x?nonsense=1&other=2", "Got 2 that are none of these"),
        ("postgresql://host/x?client_encoding=latin1", "Got 1 that are none of these"),
        ("postgresql://host/x?connect_timeout=abc", "connect_timeout .* is a whole number"),
        ("postgresql://host/x?prepare_threshold=-1", "prepare_threshold .* is a whole number"),
        ("postgresql://host/x?prepare_threshold=1&prepare_threshold=2", "a whole number, once"),
        ("postgresql://u@/x?host=a&host=b:ports", "do not fit together"),
        ("postgresql://u:p@ss@host/x", "several @. Write those .* as %40"),
    ],
)
@pytest.mark.parametrize("way", [Storage, Reader])
def test_what_cannot_be_honoured_is_refused_in_a_sentence(
    folder: Path, url: str, finding: str, way: type[Storage | Reader]
) -> None:
    before = sorted(folder.iterdir())
    with pytest.raises(StorageError, match=finding) as caught:
        way(url)
    assert "\n" not in str(caught.value)
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    "url",
    [
        f"sqlite:///x.db?password={_SECRET}",
        f"sqlite:///{_SECRET}?x",
        f"sqlite://{_SECRET}/x.db",
        f"{_SECRET}://host/x",
        f"postgresql+{_SECRET}://host/x",
        f"postgresql://host:{_SECRET}/x",
        f"postgresql://host/x?{_SECRET}=1",
        f"postgresql://host/x?token={_SECRET}",
        f"postgresql://host/x?connect_timeout={_SECRET}",
        f"postgresql://host/{_SECRET}%00",
        f"postgresql://u:p@{_SECRET}@host/x",
        _SECRET,
    ],
)
def test_what_is_not_known_is_not_repeated(folder: Path, url: str) -> None:
    with pytest.raises(StorageError) as caught:
        Storage(url)
    assert _SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "option", ["sslpassword", "options", "passfile", "oauth_client_secret", "password", "sslkey"]
)
def test_options_are_shown_by_name_only(option: str) -> None:
    if option not in known_options():
        pytest.skip(f"this libpq knows no {option}")
    url = checked_url(f"postgresql://me@host/x?sslmode=require&{option}={_SECRET}")
    assert shown(url) == f"postgresql+psycopg://me@host/x?{option}=***&sslmode=require" or (
        shown(url) == f"postgresql+psycopg://me@host/x?sslmode=require&{option}=***"
    )
    assert _SECRET in secrets(url)


def test_an_escape_in_the_name_of_a_database_is_what_it_means() -> None:
    assert checked_url("postgresql://host/my%20studies").database == "my studies"


@pytest.mark.parametrize(("asked", "given_to_driver"), [("0", None), ("5", 5)])
def test_preparing_is_asked_for_in_numbers(asked: str, given_to_driver: int | None) -> None:
    url = checked_url(f"postgresql://host/x?prepare_threshold={asked}")
    assert connect_options(url) == {"prepare_threshold": given_to_driver}


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:///a b.db", "a b.db"),
        ("sqlite:///a%3Fb.db", "a?b.db"),
        ("sqlite:///100%.db", "100%.db"),
        ("sqlite:///µ#.db", "µ#.db"),
        ("sqlite+pysqlite:///x", "x"),
        ("sqlite:///folder/../x.db", "x.db"),
    ],
)
def test_what_is_stored_is_in_the_file_that_is_named(folder: Path, url: str, name: str) -> None:
    _store(url)
    assert (folder / name).is_file()
    reader = Reader(url)
    assert reader.url == shown(URL.create("sqlite", database=str(database_file(url))))
    reader.close()
    _assert_stored(reader.url)


_WORDS = st.sampled_from(
    [
        *(
            "sqlite",
            "postgresql",
            "+pysqlite",
            "+psycopg",
            *":/?&=@%#.~",
            "//",
            "///",
            "////",
            "..",
        ),
        *(
            "%00",
            "%2F",
            "x.db",
            ":memory:",
            "file:",
            "mode=ro",
            "timeout",
            "host=/nowhere",
            "port=1",
        ),
        *("prepare_threshold=0", "folder", "pipe", "\ud800", "\x00", "µ"),
    ]
)
_TEXTS = st.lists(_WORDS | st.text(max_size=3), max_size=8).map("".join)
_URLS = st.one_of(
    _TEXTS,
    _TEXTS.map(lambda rest: f"sqlite:///{rest}"),
    _TEXTS.map(lambda rest: f"postgresql://u@/x?host=/nowhere&{rest}"),
)


@given(url=_URLS)
@example(url="sqlite:///\\")
@example(url="sqlite:///\n/sqlite")
@example(url="sqlite:///a\r\nb")
@settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_url_is_refused_or_keeps_what_is_stored(folder: Path, url: str) -> None:
    try:
        _store(url)
    except StorageError as error:
        assert "\n" not in str(error)
        return
    file = database_file(url)
    assert file is not None
    _assert_stored(url)
    file.unlink()


def _store(url: str) -> None:
    storage = Storage(url, patience_s=0)
    storage.save_study(name="kept", **_SAVE)
    storage.close()


def _assert_stored(url: str) -> None:
    reader = Reader(url, patience_s=0)
    assert [study.name for study in reader.studies()] == ["kept"]
    reader.close()


class TestOnPostgres:
    @pytest.fixture
    def url(self) -> Iterator[str]:
        with postgres_schema() as url:
            yield url

    @pytest.mark.parametrize(
        "options", ["prepare_threshold=0", "connect_timeout=3&sslmode=disable"]
    )
    def test_options_are_taken(self, url: str, options: str) -> None:
        _store(f"{url}&{options}")
        _assert_stored(url)
