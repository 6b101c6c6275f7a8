"""The command of `warm`, to which the presets are those in another folder."""

import os
from pathlib import Path

from study import catalogue

catalogue._PRESETS = Path(os.environ["TESTS_PRESETS"])

import tests.integration.warm  # noqa: E402, F401
