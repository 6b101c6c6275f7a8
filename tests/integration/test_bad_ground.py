"""`weighbridge run` where the database cannot be written, is locked, full or gone.

Each time: exit code 2, one message that says what to do, and the same command goes on once the
cause is mended.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from storage import Storage
from storage.database import engines as _engines
from study.cli import _doctor
from tests import toy
from tests.integration.command import (
    DEADLINE_S,
    IMPATIENT,
    WARM,
    Said,
    begun,
    command,
    ended,
    shared_fork_server,
    typed,
)
from tests.integration.driving import wait_for_done_runs
from tests.wanting import reason

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
STUDY = "ground"
# one worker trains for seconds, so that there is time to pull the ground away
SPEC = f"""
name = "{STUDY}"
problem = "toy:Toy"
seeds = [0, 1, 2, 3]
[training]
epochs = {{epochs}}
batch_size = 4
optimizer = "sgd"
checkpoint_s = {{checkpoint_s}}
[baseline.metrics]
level = {{{{ error = 1.0 }}}}
kind = {{{{ error = 0.5 }}}}
flag = {{{{ error = 0.5 }}}}
[[search]]
weighting = "ew"
stages = [{{{{ lr = [0.02, 0.05] }}}}]
"""
RUNS = 8
COMPLETE = f"{STUDY}: {RUNS} runs done, 0 diverged, 0 failed, 0 left."
RUN = ("run", f"{STUDY}.toml", "--workers", "1")
# a program like any other, for which permissions count, even if it is started by root
POWERLESS = (
    "setpriv",
    "--inh-caps=-dac_override,-dac_read_search",
    "--bounding-set=-dac_override,-dac_read_search",
)
EXCLUSIVE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA locking_mode=EXCLUSIVE")
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.readline()
"""
# A disk of its own, seen by this shell only; on it a study is run, and run again after some space
# was freed. $1: folder with the spec; $2: where it may put a file; $3...: the command.
SMALL_DISK = """
set -eu
from=$1 disk=$2
shift 2
mount -t tmpfs -o size=12m none "$disk"
cp "$from"/*.toml "$from"/*.py "$disk"
cd "$disk"
head -c 11600k /dev/zero >ballast
code=0; "$@" >"$from/full.out" 2>"$from/full.err" || code=$?
rm ballast
again=0; "$@" >"$from/freed.out" 2>"$from/freed.err" || again=$?
echo "$code $again"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path, epochs=2)


def write(folder: Path, *, epochs: int, checkpoint_s: int = 0) -> Path:
    spec = SPEC.format(epochs=epochs, checkpoint_s=checkpoint_s)
    (folder / f"{STUDY}.toml").write_text(spec)
    shutil.copy(toy.__file__, folder / "toy.py")
    return folder


def url(path: Path) -> str:
    return f"sqlite:///{path}"


def assert_refused(said: Said, *why: str) -> None:
    """One message, which is no traceback, and the code for what cannot be met."""
    assert said.code == 2, said
    assert said.err.count("error ") == 1, said.err
    assert said.err.startswith("error The study database ")
    assert len(said.err.splitlines()) == 1
    assert [words for words in why if words not in said.err] == []
    assert "Traceback" not in said.out + said.err


class TestPermissions:
    @pytest.fixture(autouse=True)
    def needs_setpriv(self) -> None:
        if subprocess.run([*POWERLESS, "true"], capture_output=True, check=False).returncode:
            pytest.skip(reason("a setpriv (util-linux) that can take privileges away"))

    def test_a_read_only_file(self, folder: Path) -> None:
        database = folder / "weighbridge.db"
        Storage(url(database)).close()
        database.chmod(0o444)
        before = database.read_bytes()
        said = typed(folder, *RUN, prefix=POWERLESS, module=WARM)
        assert_refused(said, "readonly database", "Check its permissions")
        assert database.read_bytes() == before
        database.chmod(0o644)
        assert COMPLETE in command(folder, *RUN).text

    def test_a_folder_that_is_not_writable(self, folder: Path) -> None:
        there = folder / "there"
        there.mkdir(mode=0o555)
        run = (*RUN, "--storage", "sqlite:///there/w.db")
        said = typed(folder, *run, prefix=POWERLESS, module=WARM)
        assert_refused(said, "unable to open", "that you may write there")
        there.chmod(0o755)
        assert COMPLETE in command(folder, *run).text


def test_a_full_disk(tmp_path: Path) -> None:
    write(tmp_path, epochs=40, checkpoint_s=1000)  # without checkpoints: the database fills it
    disk = tmp_path / "disk"
    disk.mkdir()
    own_mounts = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    try_it = [*own_mounts, 'mount -t tmpfs none "$0"', str(disk)]
    if subprocess.run(try_it, capture_output=True, check=False).returncode:
        pytest.skip(reason("a right to mount a small disk in a namespace of its own"))
    shutil.copy(toy.__file__, disk)  # workers come from a process that does not see the small one
    command = [sys.executable, "-m", WARM, *RUN]
    done = subprocess.run(
        [*own_mounts, SMALL_DISK, "sh", str(tmp_path), str(disk), *command],
        env={**os.environ, "PYTHONPATH": str(ROOT), **shared_fork_server()},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    code, again = (int(number) for number in done.stdout.split())
    full = Said(code=code, out=read(tmp_path, "full.out"), err=read(tmp_path, "full.err"))
    assert_refused(full, "is full", "Free some space and run the same command again")
    assert again == 0, read(tmp_path, "freed.err")
    assert COMPLETE in read(tmp_path, "freed.out")


def read(folder: Path, name: str) -> str:
    return (folder / name).read_text()


class TestLocked:
    @pytest.fixture
    def locker(self, folder: Path) -> Iterator[subprocess.Popen[str]]:
        """A program that keeps the whole database to itself."""
        database = folder / "weighbridge.db"
        Storage(url(database)).close()
        process = subprocess.Popen(
            [sys.executable, "-c", EXCLUSIVE, str(database)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with process:
            assert process.stdout is not None
            assert process.stdout.readline() == "locked\n"
            yield process
            process.kill()

    def test_a_database_that_cannot_even_be_opened(
        self, folder: Path, locker: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_engines, "BUSY_S", 0.2)
        said = command(folder, *RUN)
        assert_refused(said, "database is locked", f"process {locker.pid} (", "run again")
        locker.kill()
        locker.wait()
        assert COMPLETE in command(folder, *RUN).text

    def test_a_lock_under_way_is_told_and_waited_out(self, tmp_path: Path) -> None:
        write(tmp_path, epochs=30)
        database = tmp_path / "weighbridge.db"
        with begun(tmp_path, *RUN, module=IMPATIENT) as driver:
            wait_for_done_runs(url(database), STUDY, 1)
            with closing(sqlite3.connect(database, isolation_level=None, timeout=60)) as other:
                other.execute("BEGIN IMMEDIATE")
                told_by(driver, "database is locked")
                told_by(driver, "Trying again for up to 300 s.")
                other.execute("ROLLBACK")
            said = ended(driver)
        assert (said.code, said.err) == (0, "")
        assert "The study database is back after" in said.text
        assert COMPLETE in said.text

    def test_patience_ends_with_one_message(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        database = folder / "weighbridge.db"
        Storage(url(database)).close()
        monkeypatch.setattr(_engines, "BUSY_S", 0.2)
        monkeypatch.setitem(Storage.__init__.__kwdefaults__, "patience_s", 0.0)
        with closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            said = command(folder, *RUN)
        assert_refused(said, "database is locked", "End that one, run again.", "Tried for")
        assert COMPLETE in command(folder, *RUN).text


def told_by(process: subprocess.Popen[str], words: str) -> None:
    """Return as soon as a running command has said these words at the end of a line."""
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            return
    pytest.fail(f"the command ended and did not say {words!r}")


def test_a_database_that_is_deleted_under_way(tmp_path: Path) -> None:
    write(tmp_path, epochs=30)
    database = tmp_path / "weighbridge.db"
    rescued = tmp_path / "weighbridge.rescued-1.db"
    with begun(tmp_path, *RUN, module=WARM) as driver:
        wait_for_done_runs(url(database), STUDY, 2)
        for path in tmp_path.glob("weighbridge.db*"):
            path.unlink()
        said = ended(driver)
    assert_refused(said, "deleted or moved while in use", f"is saved in {rescued}.")
    said = command(tmp_path, *RUN, "--storage", url(rescued))
    assert (said.code, said.err) == (0, "")
    assert COMPLETE in said.text
    with closing(sqlite3.connect(rescued)) as connection:
        query = "SELECT COUNT(*), COUNT(DISTINCT run) FROM attempt_costs WHERE state = 'finished'"
        per_run = connection.execute(f"{query} AND run IS NOT NULL").fetchone()
    assert per_run == (RUNS, RUNS), "a finished run was trained again"


class TestNetworkFileSystem:
    """The warning is given by every verb that writes; SQLite there is the user's own choice."""

    @pytest.fixture(autouse=True)
    def on_nfs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_doctor, "unsafe_file_system", lambda _path: "nfs4")

    def test_run_warns_and_goes_on(self, folder: Path) -> None:
        said = command(folder, *RUN)
        assert said.code == 0
        assert "note weighbridge.db is on a network file system (nfs4), where SQLite" in said.text
        assert "Use a local disk, or PostgreSQL" in said.text
        assert COMPLETE in said.text

    def test_doctor_counts_it_as_a_problem(self, folder: Path) -> None:
        said = command(folder, "doctor")
        assert said.code == 2
        assert "network file system" in said.text

    @pytest.mark.usefixtures("impatient")
    def test_a_server_is_not_meant(self, folder: Path) -> None:
        said = command(folder, *RUN, "--storage", "postgresql://me@127.0.0.1:1/x")
        assert "network file system" not in said.text
