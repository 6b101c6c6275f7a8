"""A file that is written appears whole or not at all."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from reports._whole_file import writable, write_whole
from reports.errors import MissingFolder, NotAFile, NotWritten, ReportError, UnknownFormat
from reports.export import export
from reports.frames import StudyFrames
from reports.html import write
from tests.unit.reports import synthetic


@pytest.fixture
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002], indirect=True)
def test_the_umask_says_who_may_read_it(umask: int, tmp_path: Path) -> None:
    write_whole(tmp_path / "a.csv", lambda aside: aside.write_text("x") and None)
    assert (tmp_path / "a.csv").stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.parametrize("name", ["study.toml", "train.py", "notes", "html"])
def test_a_report_replaces_no_file_of_another_kind(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(UnknownFormat, match=r"ends in \.html or \.htm"):
        write(synthetic.frames(), tmp_path / name)
    assert (tmp_path / name).read_text() == "mine"


def test_a_disk_that_may_only_be_read_is_told_with_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")  # of unlink, too, where there is nothing

    monkeypatch.setattr(Path, "touch", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(NotWritten, match=r"Cannot write .*a\.csv: Read-only file system"):
        write_whole(tmp_path / "a.csv", lambda aside: aside.write_text("x") and None)


@pytest.mark.parametrize(("writer", "name"), [(write, "w.html"), (export, "w.csv")])
@pytest.mark.parametrize("linked", [False, True])
def test_no_database_is_replaced_whatever_its_name(
    writer: Callable[[StudyFrames, Path], None], name: str, linked: bool, tmp_path: Path
) -> None:
    database = tmp_path / ("w.db" if linked else name)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE runs (id)")
    if linked:
        (tmp_path / name).symlink_to(database)
    before = database.read_bytes()
    with pytest.raises((NotAFile, UnknownFormat)):
        writer(synthetic.frames(), tmp_path / name)
    assert database.read_bytes() == before


@pytest.mark.parametrize(
    "error", [ValueError("mixed"), OSError(28, "No space left"), SystemExit(1)]
)
def test_what_fails_leaves_the_old_file_and_nothing_else(
    error: BaseException, tmp_path: Path
) -> None:
    def fail(aside: Path) -> None:
        aside.write_text("half")
        raise error

    (tmp_path / "a.csv").write_text("old")
    with pytest.raises((type(error), NotWritten)):
        write_whole(tmp_path / "a.csv", fail)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_text() == "old"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    target = writable(tmp_path / "link.csv", what="An export")
    write_whole(target, lambda aside: aside.write_text("x") and None)
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == "x"


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".html"])
def test_every_writer_refuses_what_is_no_file(suffix: str, tmp_path: Path) -> None:
    frames = synthetic.frames(empty=True)
    name = f"there{suffix}"
    (tmp_path / name).mkdir()
    os.mkfifo(tmp_path / f"fifo{suffix}")
    bad: dict[str | Path, tuple[type[ReportError], str]] = {
        tmp_path / name: (NotAFile, "Got the folder .*Name a file in it"),
        tmp_path / f"fifo{suffix}": (NotAFile, "a device or a pipe. Name another"),
        tmp_path / "no" / name: (MissingFolder, "a folder that exists. Got .*no. Create it first"),
        tmp_path / f"{'a' * 300}{suffix}": (NotWritten, "File name too long"),
    }
    for path, (error, said) in bad.items():
        with pytest.raises(error, match=said):
            write(frames, path) if suffix == ".html" else export(frames, path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, f"fifo{suffix}"])


def test_a_device_is_never_replaced() -> None:
    with pytest.raises(NotAFile, match="Got /dev/null, a device"):
        writable("/dev/null", what="A report")
