"""Promises of the dashboard's mirror: however it was filled, it holds what the database says."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from reports.dashboard.following.mirror import STATES, Mirror
from storage import Reader
from tests.contract.storage_backends import Backend, OnFile, OnPostgres
from tests.contract.storage_bench import Bench
from tests.contract.test_storage_changes import live

_COLUMNS = ("seed", "confirms", "planned", "epochs", "device_s", "attempts")


class MirrorPromises(Backend):
    @pytest.fixture
    def reader(self, bench: Bench) -> Iterator[Reader]:
        reader = Reader(bench.url)
        yield reader
        reader.close()

    def test_one_that_began_with_blocks_is_that_of_all_changes(
        self, bench: Bench, reader: Reader
    ) -> None:
        chance, mirror = random.Random(1), Mirror()
        live(bench, chance, 15)
        cursor = reader.cursor("demo")
        mirror.begin(reader.decisions(bench.study.id))
        for block, take in (
            (reader.run_block, mirror.take_runs),
            (reader.attempt_block, mirror.take_attempts),
        ):
            after: int | None = 0
            while after is not None:
                found = block(bench.study.id, after=after, limit=4)
                take(found)
                ids = next(iter(found.values()))
                after = ids[-1] if ids else None
                live(bench, chance, 2)
        mirror.cursor = cursor
        _follow(mirror, reader)
        other = Mirror()
        _follow(other, reader)
        assert _picture(mirror) == _picture(other)
        assert _attempts(mirror) == _attempts(other)
        assert mirror.decisions == other.decisions
        assert mirror.totals() == other.totals() == reader.totals(bench.study.id)
        status = {one.search: one for one in reader.search_status(bench.study.id) if one.states}
        for name, totals in mirror.by_search().items():
            one = status.pop(name)
            assert totals.states == one.states
            assert totals.device_s == pytest.approx(one.device_s)
        assert status == {}
        used = reader.used_by_search(bench.study.id)
        for name, amounts in mirror.used_by_search().items():
            assert amounts == pytest.approx(used[name])
        states = {name: totals.states for name, totals in mirror.by_search().items()}
        assert reader.states_by_search(bench.study.id) == states


class TestMirrorOnFile(MirrorPromises, OnFile):
    pass


class TestMirrorOnPostgres(MirrorPromises, OnPostgres):
    pass


def _follow(mirror: Mirror, reader: Reader) -> None:
    more = True
    while more:
        page = reader.changes("demo", mirror.cursor, limit=4)
        mirror.apply(page)
        more = page.more


def _picture(mirror: Mirror) -> dict[int, tuple[Any, ...]]:
    """What is known of each run, by its number."""
    found = {}
    for row, run in enumerate(mirror.column("run").tolist()):
        trial = mirror.trials[mirror.column("trial")[row]]
        values = [mirror.column(name)[row].item() for name in _COLUMNS]
        ranked = [str(mirror.column(name)[row]) for name in ("value_val", "value_test")]  # NaN, too
        found[run] = (trial, STATES[mirror.column("state")[row]], *values, *ranked)
    return found


def _attempts(mirror: Mirror) -> list[str]:
    names = ("run", "worker", "started_s", "ended_s", "epochs", "device_s", "money", "lost")
    columns = (mirror.attempts[name].tolist() for name in names)
    return sorted(map(repr, zip(*columns, strict=True)))
