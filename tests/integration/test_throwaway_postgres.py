"""The server that a run of tests has for itself: one for all processes, gone with the run."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from tests.throwaway_postgres import can_start
from tests.wanting import skip_for_want_of

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
A_RUN = """
from concurrent.futures import ThreadPoolExecutor
from tests.throwaway_postgres import Guard, address
guard = Guard()
with ThreadPoolExecutor() as askers:
    print(*set(askers.map(lambda _: address(), range(4))), flush=True)
input()
guard.end()
"""
"""Asked by four at once. It ends after a line."""
MOST_LOOKS = 2400


@pytest.fixture
def run() -> Iterator[subprocess.Popen[str]]:
    if not can_start():
        skip_for_want_of("PostgreSQL's programs (apt-get install postgresql)")
    elsewhere = {name: value for name, value in os.environ.items() if "WEIGHBRIDGE" not in name}
    with subprocess.Popen(
        [sys.executable, "-c", A_RUN],
        cwd=ROOT,
        env=elsewhere,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def folder_of(run: subprocess.Popen[str]) -> Path:
    """Where the server of a run is, once it has answered."""
    assert run.stdout is not None
    (url,) = run.stdout.readline().split()
    with psycopg.connect(url.replace("+psycopg", "", 1)) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    return Path(str(make_url(url).query["host"]))


def server_in(folder: Path) -> int:
    return int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])


def is_gone(server: int, folder: Path) -> bool:
    for _ in range(MOST_LOOKS):
        if not folder.exists() and not Path(f"/proc/{server}").exists():
            return True
        time.sleep(0.05)
    return False


def test_all_who_ask_get_the_same_and_the_end_waits_for_its(run: subprocess.Popen[str]) -> None:
    folder = folder_of(run)
    server = server_in(folder)
    run.communicate("\n", timeout=240)
    assert run.returncode == 0
    assert not folder.exists()
    assert is_gone(server, folder)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGKILL])
def test_it_goes_with_a_run_that_is_interrupted(
    run: subprocess.Popen[str], signum: signal.Signals
) -> None:
    folder = folder_of(run)
    server = server_in(folder)
    run.send_signal(signum)
    assert is_gone(server, folder)
