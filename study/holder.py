"""This process as a holder of leases, and whether another one is provably dead."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from storage.records import Holder


def this_process() -> Holder:
    """Who we are: host, boot, process id and when the process began."""
    pid = os.getpid()
    return Holder(
        host=platform.node(), boot_id=_boot_id(), pid=pid, process_start=_process_start(pid) or ""
    )


def is_dead(holder: Holder) -> bool:
    """True only if it is certain: same host, and another boot or no such process any more."""
    if holder.host != platform.node() or not holder.boot_id:
        return False
    boot, _, namespace = _boot_id().partition(" ")
    their_boot, _, their_namespace = holder.boot_id.partition(" ")
    if their_boot != boot:
        return True
    if their_namespace != namespace:
        return False  # a container beside ours: its process ids mean nothing here
    return bool(holder.process_start) and _process_start(holder.pid) != holder.process_start


def _boot_id() -> str:
    """This boot of the machine and our namespace of process ids, empty where unknown."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _process_start(pid: int) -> str | None:
    """Start time in clock ticks since boot; None if there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] == "Z" else fields[19]
