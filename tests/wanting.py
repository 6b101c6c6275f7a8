"""What this machine lacks for some tests: they are skipped for want of it, in CI they fail."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from typing import NoReturn

import pytest

_FOR_WANT = "for want of "


def reason(what: str) -> str:
    """Why a test is skipped, so that the last line of the run can tell it."""
    return f"{_FOR_WANT}{what}"


def skip_for_want_of(what: str) -> NoReturn:
    """Skip this test, unless CI runs it.

    Args:
        what: What is missing, and how it is had.
    """
    if os.environ.get("WEIGHBRIDGE_CI") == "1":
        pytest.fail(f"CI runs all tests, and this one lacks {what}.")
    pytest.skip(reason(what))


def told(skipped: Iterable[str]) -> str:
    """Skipped tests by what they lacked, in one line; empty without any.

    Args:
        skipped: The reason of each.
    """
    counts = Counter(_for_what(why) for why in skipped).most_common()
    if not counts:
        return ""
    tests = "test" if counts[0][1] == 1 else "tests"
    (what, n), *others = counts
    return ", ".join([f"not run: {n} {tests} {what}", *(f"{n} {what}" for what, n in others)])


def _for_what(why: str) -> str:
    why = why.removeprefix("Skipped: ")
    return why if why.startswith(_FOR_WANT) else "for other reasons"
