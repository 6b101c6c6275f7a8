"""A driver that waits for another one says for whom, once, and what can be done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from storage.records import Holder
from study.drivers.holder import this_process
from study.running.leases import LEASE_S, LeaseKeeper
from tests.contract.storage_bench import Bench

_ELSEWHERE = Holder(host="elsewhere", boot_id="other", pid=7, process_start="1")


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench(None)
    bench.plan("a", "b", "c")
    yield bench
    bench.storage.close()


def _claimed_by(bench: Bench, holder: Holder, n_runs: int) -> None:
    bench.holder_id = bench.storage.register_holder(holder)
    bench.claim(n_runs, lease_s=LEASE_S)


def _leases(bench: Bench, *, busy: bool = False) -> LeaseKeeper:
    pool: Any = SimpleNamespace(busy=busy)
    return LeaseKeeper(bench.storage, bench.study.id, holder_id=bench.holder_id, pool=pool)


def test_a_driver_that_lives_is_named_once(bench: Bench) -> None:
    _claimed_by(bench, _ELSEWHERE, 2)
    leases = _leases(bench)
    (said,) = leases.waits()
    assert said.startswith("Waiting for 2 runs that process 7 on elsewhere has.")
    assert "silent" not in said
    assert leases.waits() == []


def test_one_that_falls_silent_is_told_again(bench: Bench) -> None:
    _claimed_by(bench, _ELSEWHERE, 1)
    leases = _leases(bench)
    leases.waits()
    bench.clock.now_s += 31
    (said,) = leases.waits()
    assert "Waiting for a run" in said
    assert "silent for over 30 s; its runs are taken over 60 s after" in said


def test_one_of_this_machine_may_be_suspended(bench: Bench) -> None:
    """It is there, so that nobody takes its runs over; this process stands for it."""
    me, leases = this_process(), _leases(bench)
    _claimed_by(bench, me, 1)
    leases._me = replace(me, pid=0)
    bench.clock.now_s += 1000
    (said,) = leases.waits()
    assert "may be suspended" in said
    assert f"`kill -CONT {me.pid}`" in said


def test_its_own_leases_and_those_beside_its_own_work_are_no_wait(bench: Bench) -> None:
    _claimed_by(bench, this_process(), 1)
    assert _leases(bench).waits() == []
    _claimed_by(bench, _ELSEWHERE, 1)
    assert _leases(bench, busy=True).waits() == []
