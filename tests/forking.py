"""Runs tests in several processes that are forked when everything is imported and collected.

``pytest -p tests.forking --forks 3``. Processes that import and collect for themselves, as those of
pytest-xdist do, spend half a minute of a core each on it, and a gigabyte. The processes here take
whole files from one queue, in their order; the first process prints and remembers what they report.
"""

from __future__ import annotations

import atexit
import os
import random
import struct
import traceback
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, groupby, pairwise
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any

import pytest

_NUMBER = struct.Struct("i")
_Report = pytest.TestReport | pytest.CollectReport


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--forks", type=int, default=1, help="processes that share the tests")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    option = session.config.option
    if option.forks < 2 or option.collectonly or session.testsfailed:
        return None  # pytest's own loop says what is wrong with what was collected
    if reporter := session.config.pluginmanager.get_plugin("terminalreporter"):
        reporter.showfspath = False  # files alternate
    crew = _Crew(session)
    try:
        crew.run(option.forks)
    finally:
        crew.dismiss()
    return True


class _Crew:
    """The forked processes, seen from the first one."""

    def __init__(self, session: pytest.Session) -> None:
        self._session = session
        self._files = _by_file(session.items)
        self._queue, entry = os.pipe()
        os.write(entry, b"".join(map(_NUMBER.pack, range(len(self._files)))))
        os.close(entry)  # who finds the queue empty has finished
        self._at_work: dict[Connection, _Worker] = {}

    def run(self, n_processes: int) -> None:
        """Have all tests run, and pass on what is reported of them.

        Raises:
            pytest.Session.Failed: As many tests failed as were asked for.
            pytest.Session.Interrupted: A test ended the session.
        """
        for _ in range(n_processes):
            self._fork()
        while self._at_work:
            for connection in wait([*self._at_work]):
                assert isinstance(connection, Connection)
                self._hear(connection)

    def dismiss(self) -> None:
        """Take what is left of the queue, and wait until each process has put its things away."""
        while os.read(self._queue, 4096):
            pass
        os.close(self._queue)
        for connection, worker in self._at_work.items():
            connection.close()  # a process that reports to nobody stops
            os.waitpid(worker.pid, 0)

    def _hear(self, connection: Connection) -> None:
        worker = self._at_work[connection]
        try:
            kind, content = connection.recv()
        except EOFError:
            kind, content = "lost", None
        if kind == "begun":
            worker.at = content
        elif kind == "report":
            self._pass_on(content)
        else:
            del self._at_work[connection]
            connection.close()
            _, status = os.waitpid(worker.pid, 0)
            if kind == "interrupted":
                raise self._session.Interrupted(content)
            if kind == "lost":
                self._replace(worker, os.waitstatus_to_exitcode(status))

    def _pass_on(self, content: dict[str, Any]) -> None:
        hook, session = self._session.config.hook, self._session
        report = hook.pytest_report_from_serializable(config=session.config, data=content)
        hook.pytest_runtest_logreport(report=report)
        if report.when == "teardown":
            hook.pytest_runtest_logfinish(nodeid=report.nodeid, location=report.location)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)

    def _replace(self, worker: _Worker, exitcode: int) -> None:
        """Report the test at which a process died, and have another one go on behind it."""
        if worker.at is None:
            raise self._session.Interrupted(f"a process died before its first test: {exitcode}")
        place, following = worker.at
        item = self._session.items[place]
        self._session.config.hook.pytest_runtest_logreport(
            report=pytest.TestReport(
                item.nodeid,
                item.location,
                keywords={},
                outcome="failed",
                longrepr=f"The process died of this test, with exit code {exitcode}.",
                when="call",
            )
        )
        if following is None:
            self._fork()
        else:
            (file,) = (file for file in self._files if following in file)
            self._fork(range(following, file.stop))

    def _fork(self, first: range = range(0)) -> None:
        receiving, sending = Pipe(duplex=False)
        if pid := os.fork():
            sending.close()
            self._at_work[receiving] = _Worker(pid)
            return
        for sibling in self._at_work:
            sibling.close()
        receiving.close()
        files = chain([first], map(self._files.__getitem__, _numbers(self._queue)))
        _work(self._session, chain.from_iterable(files), sending)


class _Worker:
    """A forked process, and the places of the test that it has begun and of the next one."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.at: tuple[int, int | None] | None = None


def _by_file(items: list[pytest.Item]) -> list[range]:
    """The places of the tests of each file, one behind the other."""
    places = groupby(range(len(items)), lambda place: items[place].path)
    files = [[*found] for _, found in places]
    return [range(file[0], file[-1] + 1) for file in files]


def _numbers(queue: int) -> Iterator[int]:
    while found := os.read(queue, _NUMBER.size):
        yield _NUMBER.unpack(found)[0]


def _work(session: pytest.Session, places: Iterator[int], sending: Connection) -> None:
    """Run tests in a forked process, report them, and leave the process."""
    told: tuple[str, Any] = ("finished", None)
    try:
        _settle(session.config, sending)
        for place, following in pairwise(chain(places, [None])):
            sending.send(("begun", (place, following)))
            item = session.items[place]
            nextitem = None if following is None else session.items[following]
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=nextitem)
            if session.shouldfail or session.shouldstop:
                break
    except BrokenPipeError:  # nobody listens any more
        pass
    except BaseException as error:  # as pytest.exit() raises; the first process tells
        told = ("interrupted", f"{type(error).__name__}: {error}")
    try:
        session.config.hook.pytest_sessionfinish(session=session, exitstatus=session.exitstatus)
        with suppress(OSError):
            sending.send(told)
        atexit._run_exitfuncs()  # as at the end of any other process
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _settle(config: pytest.Config, sending: Connection) -> None:
    """Print nothing, but report; and let nothing be shared that was made before the fork."""
    random.seed()
    config.workerinput = {}  # type: ignore[attr-defined]  # what tells plugins that others report
    plugins = config.pluginmanager
    plugins.unregister(name="terminalreporter")
    if capturing := plugins.get_plugin("capturemanager"):
        capturing.stop_global_capturing()
        capturing.start_global_capturing()
        capturing.suspend_global_capture()
    plugins.register(_Reporting(config, sending))


class _Reporting:
    """Sends what a process finds to the first one."""

    def __init__(self, config: pytest.Config, sending: Connection) -> None:
        self._config, self._sending = config, sending

    def pytest_runtest_logreport(self, report: _Report) -> None:
        hook = self._config.hook
        content = hook.pytest_report_to_serializable(config=self._config, report=report)
        self._sending.send(("report", content))
