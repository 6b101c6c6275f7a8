"""What holds for every test: one thread, a wide terminal, no clock in property tests."""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # torch reads it at its import; two cores are shared
os.environ["COLUMNS"] = "160"  # what the command line prints is not to be wrapped

from hypothesis import settings

settings.register_profile("no_deadline", deadline=None)  # time is no property of the maths
settings.load_profile("no_deadline")
