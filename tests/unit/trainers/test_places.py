"""Places of files: the same names and rules for paths and for URLs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fsspec
import pytest

from trainers.keeping import paths


@pytest.fixture(params=["{}", "memory://{}"], ids=["path", "memory"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(request.param).format(tmp_path)


@pytest.fixture
def put(folder: str) -> Callable[[str], str]:
    """Puts a file of that name there; returns its place."""

    def put(name: str) -> str:
        place = paths.inside(folder, name)
        with fsspec.open(place, "wb") as file:
            file.write(b"1")
        return place

    return put


def test_a_place_is_in_its_folder(folder: str) -> None:
    assert paths.folder_of(paths.inside(folder, "a")) == folder


def test_files_are_found_by_how_their_names_start(folder: str, put: Callable[[str], str]) -> None:
    mine, other = put("run1-token1.pt"), put("pack-run1-token1.pt.part")
    put("run11-token1.pt")
    assert paths.starting(folder, ["run1-token", "pack-run1-token"]) == {mine, other}
    assert paths.starting(folder, []) == set()


def test_a_folder_that_is_not_there_holds_nothing(folder: str) -> None:
    assert paths.starting(paths.inside(folder, "none"), ["a"]) == set()


def test_what_is_removed_is_gone_and_what_is_not_there_is_no_error(
    folder: str, put: Callable[[str], str]
) -> None:
    one, two, other = put("a1"), put("a2"), put("b")
    paths.remove([one, paths.inside(folder, "never"), two])
    assert paths.starting(folder, ["a", "b"]) == {other}
    paths.remove([one])


def test_a_file_url_is_a_path(tmp_path: Path) -> None:
    assert paths.settled(f"file://{tmp_path}/there") == str(tmp_path / "there")


def test_a_folder_is_settled_where_the_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert paths.settled("there/") == str(tmp_path / "there")


def test_a_url_is_settled_without_its_last_slash() -> None:
    assert paths.settled("memory://bucket/there/") == "memory://bucket/there"


def test_a_store_of_an_unknown_kind_is_no_place() -> None:
    with pytest.raises(OSError, match="Protocol not known: nowhere"):
        paths.settled("nowhere://bucket")


def test_files_of_a_store_that_cannot_be_reached_stay() -> None:
    paths.remove(["nowhere://bucket/a"])
    assert paths.starting("nowhere://bucket", ["a"]) == set()
