"""This process as a holder of leases, and what is known of another one."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from storage.records import Holder
from storage.states import Liveness
from study.drivers.vital_signs import process_start


def this_process() -> Holder:
    """Who we are: host, boot, process id and when the process began."""
    pid = os.getpid()
    return Holder(
        host=platform.node(), boot_id=_boot_id(), pid=pid, process_start=process_start(pid) or ""
    )


def liveness(holder: Holder) -> Liveness:
    """Dead or alive only if it is certain, which it can be on our own host alone."""
    boot, _, namespace = _boot_id().partition(" ")
    if holder.host != platform.node() or not holder.boot_id or not boot:
        return Liveness.UNKNOWN
    their_boot, _, their_namespace = holder.boot_id.partition(" ")
    if their_boot != boot:
        return Liveness.DEAD
    if their_namespace != namespace or not holder.process_start:
        return Liveness.UNKNOWN  # a container beside ours: its process ids mean nothing here
    return Liveness.ALIVE if process_start(holder.pid) == holder.process_start else Liveness.DEAD


def _boot_id() -> str:
    """This boot of the machine and our namespace of process ids, empty where unknown."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""
