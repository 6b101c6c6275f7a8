"""Promises to who looks now and then: where to begin, who is at work, and what came last."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from storage import Reader, RunState
from tests.contract.storage_backends import Backend, OnFile, OnPostgres
from tests.contract.storage_bench import Bench, end, epoch


class PulsePromises(Backend):
    @pytest.fixture
    def reader(self, bench: Bench) -> Iterator[Reader]:
        reader = Reader(bench.url)
        yield reader
        reader.close()

    def test_who_begins_behind_all_is_told_what_comes_from_now_on(
        self, bench: Bench, reader: Reader
    ) -> None:
        bench.plan("a", "b")
        first, second = bench.claim(2, lease_s=1e12)
        bench.storage.record([end(first)])
        cursor = reader.cursor("demo")
        assert reader.changes("demo", cursor).runs == ()
        bench.storage.record([end(second)])
        assert [run.run for run in reader.changes("demo", cursor).runs] == [second.run]
        one_back = reader.cursor("demo", back=1)
        assert [run.run for run in reader.changes("demo", one_back).runs] == [second.run]

    def test_a_pulse_tells_who_is_at_work_and_what_came_last(
        self, bench: Bench, reader: Reader
    ) -> None:
        pulse = reader.pulse
        assert (pulse(bench.study.id).held, pulse(bench.study.id).trained) == (0, 0)
        bench.plan("a", "b")
        (first,) = bench.claim(lease_s=1e12)
        (second,) = bench.claim(lease_s=-1e12)
        found = pulse(bench.study.id)
        assert (found.held, found.alive, found.trained) == (2, 1, second.attempt)
        bench.storage.record([epoch(first, 1, 0.1, 0.1), end(first, RunState.FAILED)])
        later = pulse(bench.study.id)
        assert (later.held, later.alive, later.failed) == (1, 0, f"{first.run}.{first.token}")
        assert later.change > found.change
        assert later.last is not None
        assert later.epoch_s is not None


class TestPulseOnFile(PulsePromises, OnFile):
    pass


class TestPulseOnPostgres(PulsePromises, OnPostgres):
    pass
