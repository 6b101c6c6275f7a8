"""A driver's process can be told alive or dead, on its own host."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

from storage.records import Holder
from study.holder import is_dead, this_process


def test_this_process_is_alive() -> None:
    assert this_process().pid == os.getpid()
    assert not is_dead(this_process())


def test_a_process_that_has_ended_is_dead() -> None:
    code = "from study.holder import this_process as t; h = t(); print(h.pid, h.process_start)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    pid, start = ended.stdout.split()
    assert is_dead(replace(this_process(), pid=int(pid), process_start=start))


def test_another_process_under_the_same_number_is_not_the_holder() -> None:
    assert is_dead(replace(this_process(), process_start="0"))


def test_a_process_from_before_the_host_started_is_dead() -> None:
    assert is_dead(replace(this_process(), boot_id="another"))


def test_of_another_host_nothing_is_known() -> None:
    assert not is_dead(Holder(host="elsewhere", boot_id="b", pid=1, process_start="0"))
