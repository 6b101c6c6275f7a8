"""What the local driver makes of a worker's pipe, with no process behind it."""

from __future__ import annotations

import os
import socket
import struct
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from study.drivers import FromWorker, WorkerLost
from study.drivers.local.driver import LocalDriver
from study.drivers.local.fork_server import Child, Ended
from study.drivers.vital_signs import Process
from study.errors import WorkersUnusable
from tests.packs import a_job, a_pack
from trainers.events import Beat, NetworkFacts, Open, Ready, RunEnded, Seconds
from trainers.jobs import ProblemRef, Training
from trainers.worker.code import Code

CODE = Code({"mine": "0123"})
FOUND = NetworkFacts(convolutional=False, obstacle="")
HALF = struct.pack("!i", 100) + b"half of it"


class Hollow:
    """A fork server whose workers are but the far ends of their pipes."""

    def __init__(self) -> None:
        self.control, self._other = socket.socketpair()
        self.process_of_all = Process.RUNS
        self.far: list[socket.socket] = []
        self.ended: list[int] = []
        self.last_printed = b""

    alive = True

    def hear(self) -> None: ...

    def spawn(self) -> Child:
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 1000))
        self.far.append(theirs)
        output = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the child
        return Child(len(self.far) - 1, Connection(ours.detach()), output)

    def pid(self, child: Child) -> int:
        return child.number + 1

    def process(self, child: Child) -> Process:
        return self.process_of_all

    def end(self, child: Child) -> None:
        self.ended.append(child.number)

    def reaped(self, child: Child) -> Ended:
        self.ended.append(child.number)
        child.pipe.close()
        child.output.close()
        return Ended("signal SIGKILL", self.last_printed)

    def close(self) -> None:
        for one in (self.control, self._other, *self.far):
            one.close()


class Crew:
    """Two workers of a driver, spoken for by a test."""

    def __init__(self, fork_server: Hollow, *, code: str, looked: bool) -> None:
        self.driver = LocalDriver(
            ProblemRef(target="no:Problem"),
            Training(epochs=1, batch_size=1),
            devices=["cpu", "cpu"],
            open_fork_server=lambda: fork_server,  # type: ignore[arg-type,return-value]
        )
        self._fork_server = fork_server
        self.driver.start(code=code, looked=looked)

    def spared(self, worker: int) -> str | None:
        """Of what code it was told that it need not look at it."""
        with Connection(os.dup(self._fork_server.far[worker].fileno())) as far:
            opening: Open = far.recv()
            return opening.looked

    def says(self, worker: int, code: Code, network: NetworkFacts | None) -> None:
        """It is ready, with what it has found."""
        ready = Ready(startup_s=0.0, environment=code.told(), network=network)
        with Connection(os.dup(self._fork_server.far[worker].fileno())) as far:
            far.send([ready])
        assert self.driver.poll(1.0) == [FromWorker(worker, ready)]


@pytest.fixture
def fork_server() -> Hollow:
    return Hollow()


@pytest.fixture
def driver(fork_server: Hollow) -> Iterator[LocalDriver]:
    yield from _started(fork_server)


def _started(fork_server: Any) -> Iterator[LocalDriver]:
    driver = LocalDriver(
        ProblemRef(target="no:Problem"),
        Training(epochs=1, batch_size=1),
        devices=["cpu"],
        open_fork_server=lambda: fork_server,
    )
    with closing(driver):
        driver.start()
        yield driver


def test_half_a_message_of_which_no_more_comes_holds_nobody_up(
    driver: LocalDriver, fork_server: Hollow
) -> None:
    fork_server.far[0].sendall(HALF)
    assert driver.poll(1.0) == [WorkerLost(0, "signal SIGKILL")]
    assert fork_server.ended == [0]


def test_the_last_words_of_who_has_ended_are_read_before_it_is_lost(
    driver: LocalDriver, fork_server: Hollow
) -> None:
    """Its pipe stays open, as a child of its own has it."""
    fork_server.process_of_all = Process.ENDED
    with Connection(fork_server.far[0].detach()) as far:
        far.send([Beat()])
        assert driver.poll(1.0) == [FromWorker(0, Beat()), WorkerLost(0, "signal SIGKILL")]


def test_a_quiet_worker_is_left_alone(driver: LocalDriver, fork_server: Hollow) -> None:
    assert driver.poll(0.0) == []
    assert fork_server.ended == []


def test_a_machine_that_starts_no_process_is_told_in_one_sentence() -> None:
    def refuse() -> Any:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    problem, training = ProblemRef(target="no:Problem"), Training(epochs=1, batch_size=1)
    driver = LocalDriver(problem, training, devices=["cpu"], open_fork_server=refuse)
    with pytest.raises(WorkersUnusable, match=r"start processes.*temporarily unavailable.*ulimit"):
        driver.start()


def test_what_a_lost_worker_printed_last_is_kept_with_its_runs(
    driver: LocalDriver, fork_server: Hollow, tmp_path: Path
) -> None:
    pack = replace(a_pack(replace(a_job(1), key="a"), replace(a_job(2), key="b")))
    driver.submit(0, replace(pack, checkpoints=str(tmp_path)))
    fork_server.last_printed = b"device-side assert\n"
    with Connection(fork_server.far[0].detach()) as far:
        seconds = Seconds()
        far.send([RunEnded(run=1, token=1, outcome="done", epoch=1, seconds=seconds)])
    assert isinstance(driver.poll(1.0)[-1], WorkerLost)
    (file,) = tmp_path.iterdir()
    assert (file.name, "device-side assert" in file.read_text()) == ("run-b.output", True)


def test_one_worker_looks_at_the_network_for_all(fork_server: Hollow) -> None:
    crew = Crew(fork_server, code=CODE.fingerprint, looked=False)
    with closing(crew.driver):
        assert [crew.spared(0), crew.spared(1)] == [None, CODE.fingerprint]
        crew.says(1, CODE, None)
        crew.says(0, CODE, FOUND)
        crew.driver.replace(0)
        assert crew.spared(2) == CODE.fingerprint
        assert fork_server.ended == []


def test_nobody_looks_at_what_was_looked_at_before(fork_server: Hollow) -> None:
    crew = Crew(fork_server, code=CODE.fingerprint, looked=True)
    with closing(crew.driver):
        assert [crew.spared(0), crew.spared(1)] == [CODE.fingerprint] * 2


def test_the_successor_of_who_was_lost_while_it_looked_looks(fork_server: Hollow) -> None:
    crew = Crew(fork_server, code=CODE.fingerprint, looked=False)
    with closing(crew.driver):
        crew.says(1, CODE, None)
        crew.spared(0)
        fork_server.far[0].close()
        assert crew.driver.poll(1.0) == [WorkerLost(0, "signal SIGKILL")]
        crew.driver.replace(0)
        assert crew.spared(2) is None


@pytest.mark.parametrize("first", [0, 1], ids=["looked first", "waited first"])
def test_who_waits_for_a_look_at_other_code_is_followed_by_one_that_looks(
    fork_server: Hollow, first: int
) -> None:
    crew = Crew(fork_server, code=CODE.fingerprint, looked=False)
    with closing(crew.driver):
        for worker in (first, 1 - first):
            crew.says(worker, *[(Code({"mine": "4567"}), FOUND), (CODE, None)][worker])
        assert fork_server.ended == [1]
        crew.driver.replace(1)
        assert crew.spared(2) is None
