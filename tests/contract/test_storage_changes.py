"""Promises of `Reader.changes`: who follows a study by its cursor misses nothing."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from storage import RunState, Storage, StorageError, UnknownStudy
from storage.leasing.leases import take_back
from storage.records import Calibration, Claim, Verdict
from storage.scoring import Selection
from storage.states import Liveness
from tests.contract.storage_backends import Backend, OnFile, OnPostgres
from tests.contract.storage_bench import (
    DELTA_M,
    Bench,
    baseline,
    claimed,
    decision,
    end,
    epoch,
    holder,
    lost,
    reference,
    wait_until_blocked,
)
from tests.contract.storage_follower import Follower, full_picture, ids_of, size_of

_WRITERS = 4


def _paused(bench: Bench) -> Claim:
    claim = claimed(bench)
    bench.storage.record([end(claim, RunState.PAUSED)])
    return claim


def _failed(bench: Bench) -> Claim:
    claim = claimed(bench)
    bench.storage.record([end(claim, RunState.FAILED)])
    return claim


def _decided(bench: Bench) -> None:
    bench.plan("a", "b")
    bench.storage.decide(bench.search(), decision(0, "a"))


def _finished(bench: Bench) -> None:
    bench.train(claimed(bench), (0.1, 0.1))
    bench.storage.set_baseline(bench.study.id, baseline())


def _score(bench: Bench, _: object) -> None:
    bench.storage.score(bench.study.id, DELTA_M, Selection(), reference=reference(baseline()))


def _calibrate(bench: Bench, _: object) -> None:
    found = Calibration(shape="s", hardware="h", pack_size=1, epoch_s=1.0, run_step_ms={1: 1.0})
    bench.storage.save_calibrations(
        [found], study_id=bench.study.id, worker_id=bench.worker_id, seconds=1.0
    )


def _judge(until_epoch: int | None) -> Callable[[Bench, Claim], object]:
    def judge(bench: Bench, claim: Claim) -> None:
        verdict = Verdict(run=claim.run, token=claim.token, until_epoch=until_epoch, pack_key="p")
        assert bench.storage.judge([verdict]) == {claim.run}

    return judge


def _nothing(_: Bench) -> None:
    pass


WRITES: dict[str, tuple[Callable[[Bench], Any], Callable[[Bench, Any], object]]] = {
    "add runs": (_nothing, lambda bench, _: bench.plan("a")),
    "drop a point": (
        lambda bench: bench.plan("a", "b"),
        lambda bench, _: bench.propose(retired=["a"]),
    ),
    "claim": (lambda bench: bench.plan("a"), lambda bench, _: bench.claim_one()),
    "an epoch": (claimed, lambda bench, claim: bench.storage.record([epoch(claim, 1, 0.1, 0.1)])),
    "an end": (claimed, lambda bench, claim: bench.storage.record([end(claim)])),
    "a release": (
        claimed,
        lambda bench, claim: bench.storage.record([end(claim, RunState.WAITING)]),
    ),
    "a driver's death": (claimed, lambda bench, _: bench.take_back(bench.holder)),
    "a worker's death": (
        claimed,
        lambda bench, claim: bench.storage.take_back_run(claim.run, claim.token, "WorkerLost", ""),
    ),
    "another try": (_failed, lambda bench, _: bench.storage.retry(bench.study.id, "failed")),
    "a rung passed": (_paused, _judge(3)),
    "a run pruned": (_paused, _judge(None)),
    "a score": (_finished, _score),
    "a decision": (
        lambda bench: bench.plan("a"),
        lambda bench, _: bench.storage.decide(bench.search(), decision(0, "a")),
    ),
    "another decision": (
        lambda bench: (
            bench.plan("a", "b"),
            bench.storage.decide(bench.search(), decision(0, "a")),
        ),
        lambda bench, _: bench.storage.decide(bench.search(), decision(0, "b")),
    ),
    "decisions reopened": (
        _decided,
        lambda bench, _: bench.storage.reopen_decisions(bench.study.id),
    ),
    "a worker's start": (_nothing, lambda bench, _: bench.add_worker(startup_s=1.0)),
    "a calibration": (_nothing, _calibrate),
    "a calibration of searches": (
        _nothing,
        lambda bench, _: bench.storage.save_timings(
            [], study_id=bench.study.id, worker_id=bench.worker_id, seconds=1.0
        ),
    ),
}


def live(bench: Bench, chance: random.Random, steps: int) -> None:
    """Do this and that, as a driver among others does."""
    if not bench.outcomes():
        bench.plan(*map(str, range(5)))
    held: list[tuple[Claim, int]] = []
    for _ in range(steps):
        step = chance.randrange(10)
        if step < 3 or not held:
            held += [(claim, 0) for claim in bench.claim(2)]
        if step < 6 and held:
            held = [(claim, done + 1) for claim, done in held]
            bench.storage.record([epoch(claim, done, 0.1, 0.1) for claim, done in held])
        elif step < 8 and held:
            ends = [RunState.DONE, RunState.WAITING, RunState.FAILED]
            bench.storage.record([end(held.pop()[0], chance.choice(ends))])
        elif step == 8:
            point = str(chance.randrange(5))
            bench.propose(*([] if chance.random() < 0.5 else [point]), retired=[point])
            bench.storage.decide(bench.search(), decision(0, point, chance.random()))
        else:
            _score(bench, None)
            bench.storage.retry(bench.study.id, "failed")
            bench.take_back(*map(holder, range(_WRITERS)))
            bench.add_worker(startup_s=1.0)


def _write(url: str, number: int) -> None:
    bench = Bench(url, pid=number)
    bench.storage.close()
    bench.storage = Storage(url, clock=bench.clock, patience_s=0.0)
    live(bench, random.Random(number), 60)
    bench.storage.close()


class ChangesPromises(Backend):
    @pytest.fixture
    def follower(self, bench: Bench) -> Iterator[Follower]:
        follower = Follower(bench.url)
        yield follower
        follower.reader.close()

    def test_at_first_all_there_is_is_told(self, bench: Bench, follower: Follower) -> None:
        bench.train(claimed(bench), (0.2, 0.2))
        bench.storage.decide(bench.search(), decision(0, "a"))
        changes = follower.page()
        assert [(run.params, run.state) for run in changes.runs] == [("a", RunState.DONE)]
        assert [attempt.kind for attempt in changes.attempts] == ["startup", "run"]
        assert [(one.stage, one.value) for one in changes.decisions] == [(0, -1.0)]
        assert (changes.more, changes.anew) == (False, False)

    def test_what_was_told_is_not_told_again(self, bench: Bench, follower: Follower) -> None:
        bench.train(claimed(bench), (0.2, 0.2))
        first, second = follower.page(), follower.page()
        assert ids_of(second) == ([], [], [])
        assert second.cursor == first.cursor

    def test_of_many_runs_those_that_changed_are_told(
        self, bench: Bench, follower: Follower
    ) -> None:
        bench.plan(*map(str, range(20)))
        follower.page()
        claim = bench.claim_one()
        assert ids_of(follower.page()) == ([claim.run], [claim.attempt], [])

    @pytest.mark.parametrize("limit", [1, 2, 3, 100])
    def test_pages_hold_no_more_than_asked_for(
        self, bench: Bench, follower: Follower, limit: int
    ) -> None:
        live(bench, random.Random(0), 30)
        sizes = []
        while (changes := follower.page(limit)).more:
            sizes.append(size_of(changes))
        assert set(sizes) <= {limit}
        assert size_of(changes) <= limit
        assert follower.catch_up() == full_picture(bench.url)

    def test_runs_come_in_the_order_of_their_changes(
        self, bench: Bench, follower: Follower
    ) -> None:
        bench.plan("a", "b", "c")
        first, second, third = bench.claim(3)
        for claim in (second, third, first):
            bench.storage.record([end(claim)])
        pages = [follower.page(limit=1) for _ in range(4)]
        assert [run.run for page in pages for run in page.runs] == [
            second.run, third.run, first.run
        ]  # fmt: skip

    def test_new_epochs_are_told_of_runs_that_got_some(
        self, bench: Bench, follower: Follower
    ) -> None:
        bench.plan("a", "b")
        first, second = bench.claim(2)
        follower.page()
        bench.storage.record([epoch(first, 1, 0.1, 0.1)])
        told = [(run.run, run.epochs, run.new_epochs) for run in follower.page().runs]
        assert told == [(first.run, 1, True)]
        bench.storage.record([end(first), end(second)])
        told = [(run.run, run.epochs, run.new_epochs) for run in follower.page().runs]
        assert told == [(first.run, 1, False), (second.run, 0, False)]

    def test_what_moves_on_between_two_pages_is_told_with_all_that_is_new(
        self, bench: Bench, follower: Follower
    ) -> None:
        """The second page ends behind the numbers of its epoch and its end."""
        bench.plan("a", "b", "c")
        first, second, third = bench.claim(3)
        follower.page()
        bench.storage.record([end(second)])
        bench.storage.record([epoch(first, 1, 0.1, 0.1)])
        bench.storage.record([end(first, RunState.FAILED)])
        bench.storage.record([end(third)])
        assert ids_of(follower.page(limit=1))[0] == [second.run]
        bench.storage.retry(bench.study.id, "failed")
        assert ids_of(follower.page(limit=1))[0] == [third.run]
        changes = follower.page(limit=1)
        assert ids_of(changes) == ([first.run], [first.attempt], [])
        assert [run.new_epochs for run in changes.runs] == [True]
        assert follower.catch_up() == full_picture(bench.url)

    def test_a_lease_that_is_renewed_is_no_change(self, bench: Bench, follower: Follower) -> None:
        claim = claimed(bench)
        follower.page()
        bench.storage.renew(bench.holder_id, [claim.run], lease_s=60)
        assert ids_of(follower.page()) == ([], [], [])

    def test_runs_of_other_studies_are_not_told(self, bench: Bench, follower: Follower) -> None:
        other = bench.save("other")
        follower.page()
        bench.storage.register_worker(
            study_id=other.id, holder_id=bench.holder_id, pid=1, environment={}, startup_s=1.0
        )
        assert ids_of(follower.page()) == ([], [], [])

    @pytest.mark.parametrize("what", ["spec", "proposals", "baseline"])
    def test_the_cursor_moves_alone_for_what_stands_in_a_study(
        self, bench: Bench, follower: Follower, what: str
    ) -> None:
        before = follower.page().cursor
        {
            "spec": bench.save,
            "proposals": lambda: bench.propose("a"),
            "baseline": lambda: bench.storage.set_baseline(bench.study.id, baseline()),
        }[what]()
        changes = follower.page()
        assert ids_of(changes) == ([], [], [])
        assert changes.cursor != before

    def test_a_study_that_was_made_anew_is_told_from_its_beginning(
        self, bench: Bench, follower: Follower
    ) -> None:
        live(bench, random.Random(1), 30)
        follower.page()
        bench.storage.delete_study(bench.study.id, liveness=lambda _: Liveness.DEAD)
        bench.study = bench.save()
        bench.plan("b")
        changes = follower.page()
        assert changes.anew
        assert [run.params for run in changes.runs] == ["b"]
        assert not follower.page().anew

    @pytest.mark.parametrize(
        "cursor", ["1", "x-1-0-0-0", "-1-2-3", "--1-0-0-0", "1-1-1-1-1-1", 3, None]
    )
    def test_what_is_no_cursor_is_refused(self, follower: Follower, cursor: str) -> None:
        with pytest.raises(StorageError, match="Begin with an empty one"):
            follower.reader.changes("demo", cursor)

    @pytest.mark.parametrize("limit", [0, -1, 10_001, 1.5, True, "a"])
    def test_what_is_no_page_is_refused(self, follower: Follower, limit: int) -> None:
        with pytest.raises(StorageError, match=rf"1 to 10000 changes\. Got limit={limit!r}"):
            follower.reader.changes("demo", limit=limit)

    def test_an_unknown_study_is_refused_with_the_known_ones(self, follower: Follower) -> None:
        with pytest.raises(UnknownStudy, match=r"'none'.*demo"):
            follower.reader.changes("none")

    @pytest.mark.parametrize("name", WRITES)
    def test_every_change_is_told(self, bench: Bench, follower: Follower, name: str) -> None:
        prepare, write = WRITES[name]
        prepared = prepare(bench)
        follower.page()
        write(bench, prepared)
        changes = follower.page()
        assert any(ids_of(changes))
        assert follower.catch_up() == full_picture(bench.url)

    def test_who_follows_several_writers_ends_with_what_is_there(
        self, bench: Bench, follower: Follower
    ) -> None:
        """No writer may wait out a deadlock: their storages have no patience."""
        bench.plan(*map(str, range(30)), seeds=(0, 1))
        with ThreadPoolExecutor(_WRITERS) as pool:
            writers = [pool.submit(_write, bench.url, number) for number in range(_WRITERS)]
            while not all(writer.done() for writer in writers):
                follower.page(limit=5)
        for writer in writers:
            writer.result()
        assert follower.catch_up(limit=5) == full_picture(bench.url)


class TestChangesOnFile(ChangesPromises, OnFile):
    pass


class TestChangesOnPostgres(ChangesPromises, OnPostgres):
    def test_a_later_number_is_seen_after_the_earlier_one(
        self, bench: Bench, follower: Follower
    ) -> None:
        """The second transaction ends first, but for the counter that the first one holds."""
        bench.plan("a", "b")
        first, second = bench.claim(2)
        sweeper = Storage(bench.url)
        with ThreadPoolExecutor(1) as pool:
            with sweeper._database.write() as connection:
                take_back(connection, [lost(first)])
                recording = pool.submit(bench.storage.record, [end(second)])
                wait_until_blocked(sweeper, recording)
                follower.catch_up()
            recording.result(60)
        sweeper.close()
        assert follower.catch_up() == full_picture(bench.url)
