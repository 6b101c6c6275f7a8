"""What holds for every test: one thread, a wide terminal, no clock in property tests, an order."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Generator

os.environ["OMP_NUM_THREADS"] = "1"  # torch reads it at its import; two cores are shared
os.environ.setdefault("TORCHINDUCTOR_VEC_ISA_OK", "1")  # it tries what the processor says it has
os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 - who is nice beside tests gets no processor
os.environ["COLUMNS"] = "160"  # what the command line prints is not to be wrapped

import pytest
from hypothesis import settings, strategies

from tests import shared_statements, zygote
from tests.throwaway_postgres import Guard, can_start
from tests.wanting import told

gc.disable()  # until all is imported and collected, of which nothing is garbage

# Commands inherit what is ignored, as by tests that were started by nohup or in the background;
# what they do at a signal could then not be seen.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

# Time is no property of the maths. CI looks at the same examples each time, so that a change is
# judged by what it changes; everybody else's runs look for new ones: a few each time, many in all.
settings.register_profile(
    "ours",
    deadline=None,
    derandomize="WEIGHBRIDGE_CI" in os.environ,
    max_examples=int(os.environ.get("WEIGHBRIDGE_EXAMPLES", "15")),
)
settings.load_profile("ours")


shared_statements.share()

_guard = pytest.StashKey[Guard]()


def pytest_configure(config: pytest.Config) -> None:
    """Have a PostgreSQL server and a zygote at hand, once for all processes, and a quick disk."""
    if _is_fit(
        "/dev/shm"
    ):  # tests write thousands of databases, and no test is about a disk's pace
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", "/dev/shm")
    if not os.environ.get("WEIGHBRIDGE_TEST_POSTGRES") and can_start():
        config.stash[_guard] = Guard()
    zygote.begin()


def _is_fit(memory: str, room: int = 4 * 2**30) -> bool:
    """Whether a file system in memory has room for what tests write, and runs programs."""
    try:
        found = os.statvfs(memory)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize > room and not found.f_flag & os.ST_NOEXEC


def pytest_unconfigure(config: pytest.Config) -> None:
    if guard := config.stash.get(_guard, None):
        guard.end()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter,
) -> Generator[None, None, None]:
    """Say in one line, after all else, what was not run, and for want of what."""
    yield
    skipped = terminalreporter.getreports("skipped")
    reasons = [report.longrepr[2] for report in skipped if isinstance(report.longrepr, tuple)]
    if line := told(reasons):
        terminalreporter.write_line(line, yellow=True)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Look for garbage from now on, but never again at modules and tests, which stay.

    Seldom: a test leaves little, and to look for it at the usual pace is a twentieth of its time.
    """
    if session.config.getoption("forks", 1) > 1:
        strategies.characters(codec="utf-8").validate()  # makes tables, here for all processes
    gc.freeze()
    gc.set_threshold(20_000)
    gc.enable()
    _be_patient()


_WAITS = {"site": ("_FIRST_S", "_CATCH_UP_S"), "pages.trials": ("_A_MOMENT_S",)}
"""How long a page waits for more to be read, before it is shown with what there is."""


def _be_patient() -> None:
    """Pages of this process wait for all there is: a test looks once, however slow the machine."""
    for name, waits in _WAITS.items():
        if module := sys.modules.get(f"reports.dashboard.{name}"):
            for wait in waits:
                assert hasattr(module, wait)
                setattr(module, wait, 120.0)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slow files: the short ones fill up both cores until the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
