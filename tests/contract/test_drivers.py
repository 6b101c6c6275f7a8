"""Every driver keeps the promises of its contract."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from study.drivers import DriverEvent, Loss, WorkerLost
from study.drivers.local.driver import LocalDriver
from study.drivers.local.fork_server import ForkServer
from study.drivers.options import RayOptions
from study.drivers.ray_tune.cluster import Cluster
from study.drivers.ray_tune.driver import RayDriver
from tests.contract.driver_promises import (
    BROKEN,
    DEADLINE_S,
    ENDLESS,
    TOY,
    DriverContract,
    Listener,
    OpenDriver,
    says,
)
from tests.integration.clusters import AsOwn
from tests.integration.command import forked_fork_server
from tests.integration.driving import descendants
from tests.packs import a_job, a_pack
from trainers.events import EpochDone, OpenFailed, Ready, RunEnded
from trainers.jobs import ProblemRef, Training

pytestmark = pytest.mark.slow

TRAINING = Training(epochs=1, batch_size=6)
# Trains a pack that comes by standard input and prints the worker's process id.
DRIVER = """
import pickle, sys
from study.drivers.local.driver import LocalDriver

problem, pack = pickle.load(sys.stdin.buffer)
driver = LocalDriver(problem, pack.training, devices=["cpu"])
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


@pytest.fixture(scope="module")
def path() -> Iterator[str]:
    """Where forks of a fork server are found; to start one takes torch's import."""
    fork_server = ForkServer.start()
    with tempfile.TemporaryDirectory() as folder:
        fork_server.listen(f"{folder}/fork_server")
        yield f"{folder}/fork_server"
        fork_server.close()


class TestLocal(DriverContract):
    @pytest.fixture(scope="class")
    @classmethod
    def open_driver(cls, path: str) -> OpenDriver:
        def open_driver(problem: ProblemRef, devices: Sequence[str]) -> LocalDriver:
            driver = LocalDriver(
                problem, TRAINING, devices=devices, open_fork_server=lambda: ForkServer.near(path)
            )
            driver.start()
            return driver

        return open_driver

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
        wait_for_end(worker)

    def test_a_closed_driver_leaves_no_process(self, open_driver: OpenDriver) -> None:
        driver = open_driver(TOY, ["cpu"])
        worker = driver.pid(0)
        driver.close()
        assert not is_alive(worker)

    def test_who_has_ended_keeps_its_process_id(self, open_driver: OpenDriver) -> None:
        with closing(open_driver(BROKEN, ["cpu"])) as driver:
            worker = driver.pid(0)
            hear_lost(Listener(driver), 0)
            assert driver.pid(0) == worker

    def test_successors_of_successors_keep_the_device(self, open_driver: OpenDriver) -> None:
        with closing(open_driver(BROKEN, ["cpu", "cpu:0"])) as driver:
            listener = Listener(driver)
            hear_lost(listener, 0, 1)  # they say that the problem is broken, and end
            driver.replace(1)
            hear_lost(listener, 2)
            driver.replace(2)
            opening = listener.hear_opening()
        assert isinstance(opening, OpenFailed)
        assert "the data on cpu:0 is gone" in opening.message

    def test_a_worker_that_is_to_compile_asks_for_a_compiler(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CXX", "no-such-compiler")
        monkeypatch.setattr(ForkServer, "start", forked_fork_server)
        with closing(LocalDriver(TOY, replace(TRAINING, compile=True), devices=["cpu"])) as driver:
            driver.start()
            opening = Listener(driver).hear_opening()
        assert isinstance(opening, OpenFailed)
        assert opening.message.startswith("`compile = true` needs a C++ compiler")


class TestSignsOfLife:
    """Of workers that end, and of such that only seem to live."""

    @pytest.fixture
    def open_near(self, path: str) -> Callable[..., LocalDriver]:
        def open_near(**options: Any) -> LocalDriver:
            problem = options.pop("problem", TOY)
            driver = LocalDriver(
                problem,
                TRAINING,
                devices=["cpu"],
                open_fork_server=lambda: ForkServer.near(path),
                **options,
            )
            driver.start()
            return driver

        return open_near

    def test_a_child_that_keeps_the_pipe_of_a_killed_worker_keeps_nobody_waiting(
        self, open_near: Callable[..., LocalDriver]
    ) -> None:
        forking = replace(TOY, options={"troubles": ("forks",)})
        with closing(open_near(problem=forking)) as driver:
            listener = Listener(driver)
            listener.hear_opening()
            driver.submit(listener.worker, a_pack(a_job(1, tasks=("forks",)), epochs=ENDLESS))
            listener.hear(says(EpochDone))
            worker = driver.pid(listener.worker)
            usual, stubborn = sorted(descendants(worker))
            os.kill(worker, signal.SIGKILL)
            try:
                *_, lost = listener.hear(lambda event: isinstance(event, WorkerLost))
                assert isinstance(lost, WorkerLost)
                assert lost.reason.startswith("signal SIGKILL")
                assert is_alive(stubborn), "nothing was tried: it ends like any other child"
                wait_for_end(usual)
            finally:
                os.kill(stubborn, signal.SIGKILL)

    def test_the_end_of_what_forks_workers_is_survived_and_told(
        self, open_near: Callable[..., LocalDriver]
    ) -> None:
        with closing(open_near()) as driver:
            listener = Listener(driver)
            listener.hear_opening()
            worker = driver.pid(listener.worker)
            driver.submit(listener.worker, a_pack(a_job(1), epochs=ENDLESS))
            listener.hear(says(EpochDone))
            os.kill(parent_of(worker), signal.SIGKILL)
            listener.hear(says(EpochDone))
            os.kill(worker, signal.SIGKILL)
            *_, lost = listener.hear(lambda event: isinstance(event, WorkerLost))
            assert isinstance(lost, WorkerLost)
            assert "the process that workers are forked from has ended" in lost.reason
            driver.replace(lost.worker)
            assert isinstance(listener.hear_opening(), Ready)

    def test_a_worker_that_hangs_while_it_opens_is_ended(
        self, open_near: Callable[..., LocalDriver]
    ) -> None:
        hanging = replace(TOY, options={"hangs": True})
        with closing(open_near(problem=hanging, open_limit_s=0.5)) as driver:
            (lost,) = Listener(driver).hear(lambda event: isinstance(event, WorkerLost))
        assert isinstance(lost, WorkerLost)
        assert lost.loss is Loss.STUCK
        assert lost.reason.startswith("It could not train within 0.5 s. signal SIGKILL")

    def test_a_worker_may_print_any_amount(self, open_near: Callable[..., LocalDriver]) -> None:
        with closing(open_near()) as driver:
            listener = Listener(driver)
            listener.hear_opening()
            output = driver._workers[listener.worker].child.output
            os.truncate(output.fileno(), 2**40)  # a hole, which would not fit into memory
            os.kill(driver.pid(listener.worker), signal.SIGKILL)
            (lost,) = listener.hear(lambda event: isinstance(event, WorkerLost))
        assert isinstance(lost, WorkerLost)
        assert len(lost.reason) < 2000


@pytest.fixture(scope="module")
def ray_here() -> Iterator[None]:
    """A Ray of this machine, with room for four workers."""
    cluster = Cluster(RayOptions(address="local"), workers=4)
    cluster.connect()
    yield
    cluster.leave()


@pytest.mark.usefixtures("ray_here")
class TestRay(DriverContract):
    """Ray Tune with slots as on a Ray of its own; workers come from a fork server of the tests."""

    @pytest.fixture(scope="class")
    @classmethod
    def open_driver(cls, path: str) -> OpenDriver:
        def open_driver(problem: ProblemRef, devices: Sequence[str]) -> RayDriver:
            n = len(devices)
            cluster = AsOwn(RayOptions(), workers=n)
            driver = RayDriver(problem, TRAINING, device="cpu", workers=n, cluster=cluster)
            fork_from(path, driver)
            driver.start()
            return driver

        return open_driver

    def test_a_slot_that_dies_is_a_worker_that_is_lost(self, listener: Listener) -> None:
        before = listener.worker
        listener.driver.kill(before)
        *_, lost = listener.hear(lambda event: isinstance(event, WorkerLost))
        assert isinstance(lost, WorkerLost)
        assert lost.worker == before
        # what Ray sees first hangs on how busy the machine is
        assert lost.reason.splitlines()[0] in ("ActorDiedError", "ActorUnavailableError")
        assert lost.loss is Loss.WORKER
        assert isinstance(listener.hear_opening(), Ready)
        assert listener.worker != before
        said = listener.train(a_pack(a_job(1)))
        assert [m.outcome for m in said if isinstance(m, RunEnded)] == ["done"]

    def test_a_closed_driver_leaves_no_worker(self, open_driver: OpenDriver) -> None:
        with closing(open_driver(TOY, ["cpu"])) as driver:
            listener = Listener(driver)
            listener.hear_opening()
            worker = driver.pid(listener.worker)
        wait_for_end(worker)


@pytest.mark.usefixtures("ray_here")
class TestRayTogether:
    """Two processes a run, each in a bundle of its own, and slots as on a cluster."""

    @pytest.fixture(scope="class")
    @classmethod
    def listener(cls, path: str) -> Iterator[Listener]:
        together = replace(TRAINING, data_parallel=2)
        cluster = Cluster(RayOptions(), workers=2)
        with closing(RayDriver(TOY, together, device="cpu", workers=1, cluster=cluster)) as driver:
            fork_from(path, driver)
            driver.start()
            listener = Listener(driver)
            assert isinstance(listener.hear_opening(), Ready)
            yield listener

    def test_a_run_is_trained_and_a_lost_process_costs_no_more_than_its_worker(
        self, listener: Listener
    ) -> None:
        said = listener.train(a_pack(a_job(1), data_parallel=2))
        assert [m.outcome for m in said if isinstance(m, RunEnded)] == ["done"]

        listener.driver.submit(listener.worker, a_pack(a_job(1), epochs=ENDLESS, data_parallel=2))
        listener.hear(says(EpochDone))
        os.kill(follower_of(listener), signal.SIGKILL)
        *_, lost = listener.hear(lambda event: isinstance(event, WorkerLost))
        assert isinstance(lost, WorkerLost)
        assert lost.reason.startswith("signal SIGKILL")
        assert isinstance(listener.hear_opening(), Ready)
        said = listener.train(a_pack(a_job(1), data_parallel=2))
        assert [m.outcome for m in said if isinstance(m, RunEnded)] == ["done"]


def fork_from(path: str, driver: RayDriver) -> None:
    """Have workers of a driver come from the fork server that listens at a path."""
    vars(driver)["_with_fork_server"] = lambda options: replace(options, fork_server=path)


def follower_of(listener: Listener) -> int:
    """Process id of the process that trains with the worker: the only other one of its kind."""
    worker = listener.driver.pid(listener.worker)
    (found,) = [pid for pid in descendants(os.getpid()) if pid != worker and is_worker(pid)]
    return found


def is_worker(pid: int) -> bool:
    """Whether a process was forked by a fork of a fork server."""
    parent = parent_of(pid)
    forks = (parent, parent_of(parent))
    return all(b"trainers.worker.fork_server" in commandline(fork) for fork in forks)


def commandline(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def hear_lost(listener: Listener, *workers: int) -> None:
    """Wait until these workers have ended, in whatever order."""
    left = set(workers)

    def is_last(event: DriverEvent) -> bool:
        if isinstance(event, WorkerLost):
            left.discard(event.worker)
        return not left

    listener.hear(is_last)


def wait_for_end(pid: int) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while is_alive(pid):
        assert time.monotonic() < deadline_s, "the process goes on"
        time.sleep(0.05)


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not yet waited for does not."""
    command = ["ps", "-o", "stat=", "-p", str(pid)]
    state = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return state != "" and not state.startswith("Z")
