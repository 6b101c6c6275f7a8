"""A driver's process can be told alive or dead, on its own host."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

from storage.records import Holder
from storage.states import Liveness
from study.drivers.holder import liveness, this_process


def test_this_process_is_alive() -> None:
    assert this_process().pid == os.getpid()
    assert liveness(this_process()) is Liveness.ALIVE


def test_a_process_that_has_ended_is_dead() -> None:
    code = (
        "from study.drivers.holder import this_process as t; h = t(); print(h.pid, h.process_start)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    pid, start = ended.stdout.split()
    ended_one = replace(this_process(), pid=int(pid), process_start=start)
    assert liveness(ended_one) is Liveness.DEAD


def test_another_process_under_the_same_number_is_not_the_holder() -> None:
    assert liveness(replace(this_process(), process_start="0")) is Liveness.DEAD


def test_a_process_from_before_the_host_started_is_dead() -> None:
    assert liveness(replace(this_process(), boot_id="another")) is Liveness.DEAD


def test_of_another_host_nothing_is_known() -> None:
    elsewhere = Holder(host="elsewhere", boot_id="b", pid=1, process_start="0")
    assert liveness(elsewhere) is Liveness.UNKNOWN


def test_of_a_container_beside_ours_nothing_is_known() -> None:
    boot = this_process().boot_id.partition(" ")[0]
    beside = replace(this_process(), boot_id=f"{boot} pid:[1]")
    assert liveness(beside) is Liveness.UNKNOWN
