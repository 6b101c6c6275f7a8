"""What a worker prints is kept run by run, whole as long as it is not too much."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.packs import a_job
from trainers.jobs import Job
from trainers.keeping import paths
from trainers.keeping.output import MOST_BYTES, Printed, RunOutput, add_to, place_of_output


def jobs(*runs: int) -> dict[int, Job]:
    return {run: replace(a_job(run), token=3, key=str(run)) for run in runs}


def kept(folder: str, job: Job) -> str:
    return paths.content(place_of_output(folder, job.file_name)).decode()


def moved(printed: Printed) -> bytes:
    with printed.moved() as text:
        return text


def test_what_was_printed_is_moved_once(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w+b", buffering=0) as file:
        printed = Printed(file.fileno())
        file.write(b"one\n")
        assert (moved(printed), moved(printed)) == (b"one\n", b"")
        file.write(b"two\n")
        assert moved(printed) == b"two\n"


def test_what_is_not_kept_yet_stays_in_the_file(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w+b", buffering=0) as file:
        file.write(b"one\n")
        with Printed(file.fileno()).moved():
            assert (tmp_path / "out").read_bytes() == b"one\n"
        assert (tmp_path / "out").read_bytes() == b""


def test_what_is_printed_while_text_is_kept_is_not_lost(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w+b", buffering=0) as file:
        printed = Printed(file.fileno())
        file.write(b"one\n")
        with printed.moved() as one:
            file.write(b"two\n")
        assert (one, moved(printed), moved(printed)) == (b"one\n", b"two\n", b"")
        assert (tmp_path / "out").read_bytes() == b""


def test_too_much_loses_its_beginning_and_says_so(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w+b", buffering=0) as file:
        file.write(b"a" * 10 + b"b" * MOST_BYTES)
        text = moved(Printed(file.fileno()))
    assert text == b"... what was printed before is cut\n" + b"b" * MOST_BYTES


def test_who_has_no_file_has_printed_nothing() -> None:
    assert moved(Printed()) == b""


def test_a_process_prints_any_text_by_whatever_way_in_its_order(tmp_path: Path) -> None:
    code = """
import os, sys
from trainers.keeping.output import Printed
printed = Printed.into(os.open(sys.argv[1], os.O_RDWR | os.O_CREAT))
print("a \\udcff", end="\\n")
os.system("echo b")
print("c", file=sys.stderr)
with printed.moved() as found:
    pass
print("d")
assert found == b"a \\\\udcff\\nb\\nc\\n", found
os._exit(0)
"""
    file = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-c", code, str(file)],
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert (done.returncode, file.read_bytes()) == (0, b"d\n")


@pytest.mark.parametrize(
    "deed",
    [
        "sys.stdout.close(); sys.stderr.close()",
        "sys.stdout = sys.stderr = None",
        "os.close(1); os.close(2)",
        "sys.stdout.detach()",
        "sys.stdout = sys.stderr = open(os.devnull, 'w'); sys.stdout.close()",
        "sys.stdout = sys.stderr = type('Broken', (), {'flush': lambda _: 1 / 0})()",
    ],
)
def test_a_process_goes_on_printing_whatever_was_done_to_its_streams(
    tmp_path: Path, deed: str
) -> None:
    code = f"""
import os, sys
from trainers.keeping.output import Printed
printed = Printed.into(os.open(sys.argv[1], os.O_RDWR | os.O_CREAT))
print("before")
{deed}
with printed.moved() as found:
    assert found == b"before\\n", found
os.write(1, b"one\\n")
os.write(2, b"two\\n")
if "Broken" not in repr(sys.stdout):
    print("three")
    print("four", file=sys.stderr)
os._exit(0)
"""
    file = tmp_path / "out"
    done = subprocess.run([sys.executable, "-c", code, str(file)], check=False)
    assert done.returncode == 0
    whole = b"one\ntwo\n" if "Broken" in deed else b"one\ntwo\nthree\nfour\n"
    assert file.read_bytes() == whole


@pytest.mark.parametrize("where", ["folder", "memory://outputs"])
def test_each_run_of_a_pack_has_all_that_was_printed_while_it_was_trained(
    tmp_path: Path, where: str
) -> None:
    folder = where if paths.is_url(where) else str(tmp_path / where)
    pack = jobs(1, 2)
    output = RunOutput(folder, pack)
    output.keep(b"both\n", [1, 2])
    output.keep(b"", [1, 2])
    output.keep(b"one\n", [1], over=[1])
    output.keep(b"two\n", [2], over=[2])
    heading = "--- attempt 3, in a pack of 2 ---\nboth\n"
    assert [kept(folder, job) for job in pack.values()] == [heading + "one\n", heading + "two\n"]


def test_the_next_attempt_is_added(tmp_path: Path) -> None:
    (first,) = jobs(1).values()
    for job in (first, replace(first, token=4)):
        RunOutput(str(tmp_path), {1: job}).keep(b"x\n", [1])
    assert kept(str(tmp_path), first) == "--- attempt 3 ---\nx\n--- attempt 4 ---\nx\n"


def test_runs_that_print_nothing_have_no_file(tmp_path: Path) -> None:
    RunOutput(str(tmp_path), jobs(1)).keep(b"", [1], over=[1])
    RunOutput(None, jobs(1)).keep(b"lost\n", [1], over=[1])
    assert list(tmp_path.iterdir()) == []


def test_a_full_or_missing_place_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    RunOutput(str(tmp_path / "file"), jobs(1)).keep(b"x", [1])


@given(st.lists(st.binary(max_size=MOST_BYTES // 2), max_size=6))
def test_a_file_never_grows_beyond_its_cap_and_ends_with_the_newest(texts: list[bytes]) -> None:
    place = "memory://capped/one"
    paths.put(place, b"")
    for text in texts:
        add_to(place, text)
    found = paths.content(place)
    assert len(found) <= MOST_BYTES + 100
    assert found.endswith(b"".join(texts)[-MOST_BYTES:])
