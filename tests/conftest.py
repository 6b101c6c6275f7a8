"""What holds for every test: one thread, a wide terminal, no clock in property tests, an order."""

from __future__ import annotations

import os
import signal

os.environ["OMP_NUM_THREADS"] = "1"  # torch reads it at its import; two cores are shared
os.environ["COLUMNS"] = "160"  # what the command line prints is not to be wrapped

import pytest
from hypothesis import settings

# Commands inherit what is ignored, as by tests that were started by nohup or in the background;
# what they do at a signal could then not be seen.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

# Time is no property of the maths. CI looks at the same examples each time, so that a change is
# judged by what it changes; everybody else's runs look for new ones.
settings.register_profile("ours", deadline=None, derandomize="WEIGHBRIDGE_CI" in os.environ)
settings.load_profile("ours")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slow files: the short ones fill up both cores until the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
