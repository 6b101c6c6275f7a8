"""Files that cannot be written, lie badly or disappear: one clear message, and nothing is lost."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from storage import DatabaseUnusable, RunState, Storage, unsafe_file_system, without_password
from storage.database.engines import BUSY_S
from storage.database.explained_errors import lock_holders
from tests.contract.storage_bench import Bench, end

NOBODY = 65534
LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(f"sqlite:///{tmp_path / 'study.db'}")
    yield bench
    bench.storage.close()


@contextlib.contextmanager
def powerless() -> Iterator[None]:
    """As a user for whom permissions count, which they do not for root."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if was == 0:
            os.seteuid(was)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


class TestReadOnly:
    def test_a_folder_is_refused(self, open_folder: Path) -> None:
        open_folder.chmod(0o555)
        with powerless(), pytest.raises(DatabaseUnusable, match="that you may write there"):
            Storage(f"sqlite:///{open_folder / 's.db'}")

    def test_a_file_is_refused_and_stays(self, open_folder: Path) -> None:
        path = open_folder / "s.db"
        Storage(f"sqlite:///{path}").close()
        path.chmod(0o444)
        open_folder.chmod(0o777)
        before = path.read_bytes()
        with powerless(), pytest.raises(DatabaseUnusable, match=r"readonly.*permissions"):
            Bench(f"sqlite:///{path}")
        assert path.read_bytes() == before


class TestFullDisk:
    def test_it_is_told_and_going_on_works(self, bench: Bench) -> None:
        bench.plan("a")
        claim = bench.claim_one()
        with bench.storage._database.read() as connection:
            n_pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count={n_pages}")
        with pytest.raises(DatabaseUnusable, match=r"is full\. Free some space"):
            bench.plan(*(f"{'long' * 50}{number}" for number in range(500)))

        again = Bench(bench.url)
        again.storage.record([end(claim)])
        assert again.outcome(claim.run).state is RunState.DONE
        again.storage.close()


class TestLocked:
    @pytest.fixture
    def locker(self, bench: Bench) -> Iterator[subprocess.Popen[str]]:
        """Another program in the middle of a transaction."""
        path = str(bench.storage.file)
        process = subprocess.Popen(
            [sys.executable, "-c", LOCKER, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        yield process
        process.communicate("go\n")

    def test_the_other_program_is_named(self, bench: Bench, locker: subprocess.Popen[str]) -> None:
        impatient = Storage(bench.url, patience_s=0)
        message = rf"process {locker.pid} \(python.*\) has held its lock for {BUSY_S} s"
        with pytest.raises(DatabaseUnusable, match=message):
            impatient.reopen_decisions(bench.study.id)
        impatient.close()

    def test_its_end_is_waited_for(self, bench: Bench, locker: subprocess.Popen[str]) -> None:
        told: list[str] = []
        assert locker.stdin is not None
        stdin = locker.stdin

        def end_it(message: str) -> None:
            told.append(message)
            if len(told) == 1:
                stdin.write("go\n")
                stdin.flush()

        storage = Storage(bench.url, patience_s=60, on_trouble=end_it)
        storage._database.engine.dispose()
        with storage._database.read() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout=10")
        assert storage.reopen_decisions(bench.study.id) == 0
        assert ["locked" in message for message in told] == [True, False]
        storage.close()

    def test_nobody_is_named_when_nobody_locks(self, bench: Bench) -> None:
        path = bench.storage.file
        assert path is not None
        assert lock_holders(path) == []


class TestLostFile:
    def test_a_deleted_file_is_rescued_with_all_rows(self, bench: Bench, tmp_path: Path) -> None:
        bench.plan("a")
        claim = bench.claim_one()
        bench.storage.record([end(claim)])
        for path in tmp_path.iterdir():
            path.unlink()
        rescued = tmp_path / "study.rescued-1.db"
        with pytest.raises(DatabaseUnusable, match=rf"deleted .* saved in {rescued}\."):
            bench.plan("b")
        again = Bench(f"sqlite:///{rescued}")
        assert again.outcome(claim.run).state is RunState.DONE
        assert again.claim() == []
        again.storage.close()

    def test_a_replaced_file_is_left_alone(self, bench: Bench, tmp_path: Path) -> None:
        for path in tmp_path.iterdir():
            path.unlink()
        with closing(sqlite3.connect(tmp_path / "study.db")) as other, other:
            other.execute("CREATE TABLE recipes (name TEXT)")
        other.close()
        before = (tmp_path / "study.db").read_bytes()
        with pytest.raises(DatabaseUnusable, match="replaced by another file"):
            bench.plan("a")
        assert (tmp_path / "study.db").read_bytes() == before

    def test_it_is_rescued_once(self, bench: Bench, tmp_path: Path) -> None:
        (tmp_path / "study.db").unlink()
        for _ in range(2):
            with pytest.raises(DatabaseUnusable, match="rescued-1"):
                bench.plan("a")
        assert len(list(tmp_path.glob("*rescued*.db"))) == 1

    def test_an_earlier_rescue_is_kept(self, bench: Bench, tmp_path: Path) -> None:
        (tmp_path / "study.rescued-1.db").write_text("precious")
        (tmp_path / "study.db").unlink()
        with pytest.raises(DatabaseUnusable, match="rescued-2"):
            bench.plan("a")
        assert (tmp_path / "study.rescued-1.db").read_text() == "precious"

    def test_a_folder_that_is_gone_is_made_again(self, tmp_path: Path) -> None:
        folder = tmp_path / "gone"
        folder.mkdir()
        bench = Bench(f"sqlite:///{folder / 'study.db'}")
        shutil.rmtree(folder)
        with pytest.raises(DatabaseUnusable, match="saved in"):
            bench.plan("a")
        assert (folder / "study.rescued-1.db").exists()
        bench.storage.close()


class TestFileSystems:
    @pytest.fixture
    def mounts(self, tmp_path: Path) -> Path:
        path = tmp_path / "mounts"
        path.write_text(
            "/dev/sda1 / ext4 rw 0 0\n"
            "server:/home /home nfs4 rw 0 0\n"
            "/dev/sdb1 /home/local ext4 rw 0 0\n"
            "//box/share /mnt/our\\040share cifs rw 0 0\n"
            "me@there: /mnt/ssh fuse.sshfs rw 0 0\n"
        )
        return path

    @pytest.mark.parametrize(
        ("path", "kind"),
        [
            ("/var/s.db", None),
            ("/home/me/s.db", "nfs4"),
            ("/home/local/s.db", None),
            ("/homes/s.db", None),
            ("/mnt/our share/s.db", "cifs"),
            ("/mnt/ssh/s.db", "fuse.sshfs"),
        ],
    )
    def test_a_path_is_on_its_deepest_mount(
        self, path: str, kind: str | None, mounts: Path
    ) -> None:
        assert unsafe_file_system(Path(path), mounts) == kind

    def test_a_system_that_does_not_list_mounts_gives_no_warning(self, tmp_path: Path) -> None:
        assert unsafe_file_system(tmp_path, tmp_path / "nowhere") is None


class TestPasswords:
    @pytest.mark.parametrize(
        "text",
        [
            "postgresql://me:hush@host/db",
            "no connection to postgresql://me:hu@hush@host/db today",
            "postgresql://host/db?user=me&password=hush&sslmode=require",
            "host=there password='hush' dbname=x",
            "host=there password=hush dbname=x",
        ],
    )
    def test_they_are_taken_out(self, text: str) -> None:
        assert "hush" not in without_password(text)
        assert "***" in without_password(text)

    @pytest.mark.parametrize("text", ["sqlite:////a/b@c:d.db", "postgresql://me@host/db", "x"])
    def test_what_has_none_stays(self, text: str) -> None:
        assert without_password(text) == text

    @pytest.mark.parametrize(
        "url", ["postgresql://me:hush@{0}/x", "postgresql://me@/x?password=hush&host={0}"]
    )
    @pytest.mark.parametrize("host", ["no-such-host.invalid", "/nowhere"])
    def test_a_wrong_host_does_not_bring_them_out(self, url: str, host: str) -> None:
        if host.startswith("/") and "@{0}" in url:
            url = "postgresql://me:hush@/x?host={0}"
        with pytest.raises(DatabaseUnusable) as caught:
            Storage(url.format(host), patience_s=0)
        assert "hush" not in str(caught.value)
        assert "***" in str(caught.value)
