"""Names of devices, as a user gives them."""

from __future__ import annotations

import re

from study.errors import BadSpec

_NAME = re.compile(r"[a-z]{1,20}(:[0-9]{1,4})?")


def checked_device(name: str) -> str:
    """The name, if it can be one of torch's devices; whether it is there, its worker finds out.

    Raises:
        BadSpec: It cannot.
    """
    if not _NAME.fullmatch(name):
        shown = repr(name if len(name) <= 40 else f"{name[:40]}...")
        raise BadSpec(f"A device is named cpu, cuda or cuda:1. Got {shown}. Name one of these.")
    return name
