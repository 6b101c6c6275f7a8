"""Every driver keeps the promises of its contract."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest

from study.drivers import DriverEvent, WorkerLost
from study.drivers.local import LocalDriver
from tests.contract.driver_promises import (
    BROKEN,
    DEADLINE_S,
    ENDLESS,
    TOY,
    DriverContract,
    Listener,
    OpenDriver,
)
from tests.packs import a_job, a_pack
from trainers.events import Message, OpenFailed
from trainers.jobs import ProblemRef

# Trains a pack that comes by standard input and prints the worker's process id.
DRIVER = """
import pickle, sys
from study.drivers.local import LocalDriver

problem, pack = pickle.load(sys.stdin.buffer)
driver = LocalDriver(problem, threads=1, devices=["cpu"])
driver.start()
told = False
while True:
    for event in driver.poll(1.0):
        kind = type(event.message).__name__
        if kind == "Ready":
            driver.submit(event.worker, pack)
        if kind == "EpochDone" and not told:
            told = True
            print(driver.pid(event.worker), flush=True)
"""


class TestLocal(DriverContract):
    @pytest.fixture(scope="class")
    @classmethod
    def open_driver(cls) -> Iterator[OpenDriver]:
        opened = []

        def open_driver(problem: ProblemRef, devices: Sequence[str]) -> LocalDriver:
            driver = LocalDriver(problem, threads=1, devices=devices)
            opened.append(driver)
            driver.start()
            return driver

        yield open_driver
        for driver in opened:
            driver.close()

    def test_a_loss_names_the_signal(self, killed: tuple[int, WorkerLost]) -> None:
        assert killed[1].reason.startswith("signal SIGKILL")

    def test_a_loss_tells_exit_code_and_last_lines(
        self, exited: tuple[list[Message], WorkerLost]
    ) -> None:
        reason = exited[1].reason
        assert (reason.splitlines()[0], reason.splitlines()[-1]) == (
            "exit code 3",
            "the last words",
        )

    def test_workers_end_with_their_driver(self) -> None:
        pack = a_pack(a_job(1), epochs=ENDLESS)
        driver = subprocess.Popen(
            [sys.executable, "-c", DRIVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        with driver:
            driver.stdin.write(pickle.dumps((TOY, pack)))
            driver.stdin.close()
            worker = int(driver.stdout.readline())
            driver.kill()
        deadline_s = time.monotonic() + DEADLINE_S
        while is_alive(worker):
            assert time.monotonic() < deadline_s, "the worker outlives its driver"
            time.sleep(0.05)

    def test_a_closed_driver_leaves_no_process(self) -> None:
        driver = LocalDriver(TOY, threads=1, devices=["cpu"])
        driver.start()
        worker = driver.pid(0)
        driver.close()
        assert not is_alive(worker)

    def test_successors_of_successors_keep_the_device(self, open_driver: OpenDriver) -> None:
        listener = Listener(open_driver(BROKEN, ["cpu", "cpu:0"]))
        hear_lost(listener, 0, 1)  # they say that the problem is broken, and end
        listener.driver.replace(1)
        hear_lost(listener, 2)
        listener.driver.replace(2)
        opening = listener.hear_opening()
        assert isinstance(opening, OpenFailed)
        assert "the data on cpu:0 is gone" in opening.message

    def test_a_worker_that_is_to_compile_asks_for_a_compiler(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CXX", "no-such-compiler")
        driver = LocalDriver(TOY, threads=1, devices=["cpu"], compile=True)
        with closing(driver):
            driver.start()
            opening = Listener(driver).hear_opening()
        assert isinstance(opening, OpenFailed)
        assert opening.message.startswith("`compile = true` needs a C++ compiler")


def hear_lost(listener: Listener, *workers: int) -> None:
    """Wait until these workers have ended, in whatever order."""
    left = set(workers)

    def is_last(event: DriverEvent) -> bool:
        if isinstance(event, WorkerLost):
            left.discard(event.worker)
        return not left

    listener.hear(is_last)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not yet waited for does not."""
    command = ["ps", "-o", "stat=", "-p", str(pid)]
    state = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return state != "" and not state.startswith("Z")
