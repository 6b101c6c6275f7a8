"""Real `weighbridge run` processes, and a look at what they do."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest

from storage import RunState, Storage
from tests.integration.command import WARM, Command, command, launched, shared_fork_server_pid

DEADLINE_S = 240
_FILE = "sqlite:///"


def start(spec: Path, url: str, *options: str, workers: int, module: str = WARM) -> Command:
    """Start a driver in the background, see `begun` for `module`."""
    words = ("run", str(spec), "--workers", str(workers), "--storage", url, *options)
    return launched(spec.parent, *words, module=module, heard=False)


def complete(spec: Path, url: str, *options: str, workers: int = 1) -> None:
    """Run a study to its end, with a driver in this process."""
    where = ("--workers", str(workers), "--storage", url)
    said = command(spec.parent, "run", spec.name, *where, *options)
    assert said.code == 0, said.err


def states(url: str, study: str) -> dict[RunState, int]:
    """Runs by state; empty while the study is not there yet."""
    with closing(Storage(url)) as storage:
        return _states(storage, study)


def _states(storage: Storage, study: str) -> dict[RunState, int]:
    record = storage.find_study(study)
    return {} if record is None else dict(storage.totals(record.id).states)


def wait_for_done_runs(url: str, study: str, n: int) -> None:
    """Return as soon as at least `n` runs are done, and others are in training."""
    _wait(url, study, lambda found: found.get(RunState.DONE, 0) >= n and RunState.LEASED in found)


def wait_for_runs(url: str, study: str, state: RunState, n: int) -> None:
    """Return as soon as at least `n` runs are in a state."""
    _wait(url, study, lambda found: found.get(state, 0) >= n)


def wait_for_nobody(url: str, study: str) -> None:
    """Return as soon as no run is in training."""
    _wait(url, study, lambda found: RunState.LEASED not in found)


def _wait(url: str, study: str, enough: Callable[[dict[RunState, int]], bool]) -> None:
    for found in _looks(url, study, lambda: False):
        if enough(found):
            return
    pytest.fail(f"the study did not get there within {DEADLINE_S} s")


def wait_for_rungs(driver: Command, url: str, study: str, n: int) -> None:
    """Return once `n` runs have reached a rung or their end and one trains, or all is over."""
    for found in _looks(url, study, lambda: driver.poll() is not None):
        stood = sum(found.get(s, 0) for s in (RunState.PAUSED, RunState.PRUNED, RunState.DONE))
        if stood >= n and RunState.LEASED in found:
            return
    assert driver.poll() is not None, f"{n} runs did not get anywhere within {DEADLINE_S} s"


def _looks(url: str, study: str, over: Callable[[], bool]) -> Iterator[dict[RunState, int]]:
    """How a study stands, again and again until it is over; the database is opened once."""
    deadline_s = time.monotonic() + DEADLINE_S
    with ExitStack() as stack:
        storage: Storage | None = None
        while not over() and time.monotonic() < deadline_s:
            if storage is None and _is_there(url):
                storage = stack.enter_context(closing(Storage(url)))
            if storage is not None:
                yield _states(storage, study)
            time.sleep(0.02)


def _is_there(url: str) -> bool:
    """Whether there is a database to look into; on a server there always is."""
    return not url.startswith(_FILE) or Path(url.removeprefix(_FILE)).exists()


def run_with_kills(spec: Path, url: str, chance: random.Random, *, after: Sequence[int]) -> None:
    """Run a study to its end; a worker, then the driver, is killed each time.

    Args:
        after: How many runs have reached a rung or their end by then.
    """
    for n_ended in after:
        driver = start(spec, url, workers=2)
        wait_for_rungs(driver, url, spec.stem, n_ended)
        kill_a_worker(chance)
        time.sleep(chance.uniform(0.0, 0.5))
        driver.send_signal(signal.SIGKILL)
        driver.wait()
    complete(spec, url, workers=2)


def kill_a_worker(chance: random.Random) -> None:
    """Kill a worker of the one driver that is there."""
    parents = _children(shared_fork_server_pid())
    workers = [worker for parent in parents for worker in descendants(parent)]
    if workers:
        with suppress(ProcessLookupError):
            os.kill(chance.choice(workers), signal.SIGKILL)


def descendants(pid: int) -> list[int]:
    """Process ids below a process, nearest first."""
    found = []
    for child in _children(pid):
        found += [child, *descendants(child)]
    return found


def _children(pid: int) -> list[int]:
    pids = []
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            fields = Path(entry.path, "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            pids.append(int(entry.name))
    return pids
