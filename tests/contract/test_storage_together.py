"""Promises of `Storage` to several drivers that use one database at once."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import TypeVar

import pytest
import sqlalchemy as sa

from storage import Liveness, Reader, RunState, Storage
from storage.errors import DatabaseUnusable
from storage.leasing.leases import take_back
from storage.records import Proposal, Rejected, StudyRecord
from storage.scoring import Selection
from tests.contract.storage_backends import Backend, OnFile, OnNewPostgres
from tests.contract.storage_bench import (
    DELTA_M,
    SEARCHES,
    Bench,
    baseline,
    decision,
    epoch,
    holder,
    lost,
    reference,
    wait_until_blocked,
)

_ROOT = Path(__file__).parents[2]
_DRIVERS = 4
R = TypeVar("R")


class TogetherPromises(Backend):
    def test_opening_a_new_database_at_once(self, url: str) -> None:
        def open_it(_: int) -> None:
            Storage(url).close()

        _all_at_once(open_it)
        reader = Reader(url)
        assert reader.studies() == []
        reader.close()

    def test_saving_a_new_study_at_once_makes_one(self, url: str) -> None:
        def save(number: int) -> int:
            storage = Storage(url)
            record = storage.save_study(
                name="demo", spec={}, card={}, fingerprint="f", searches=SEARCHES
            )
            storage.close()
            return record.id

        Storage(url).close()
        assert len(set(_all_at_once(save))) == 1

    def test_of_different_specs_saved_at_once_under_one_name_one_is_taken(self, url: str) -> None:
        def save(number: int) -> str:
            storage = Storage(url)
            try:
                _save_or_refuse(storage, f"f{number}")
            except _Refused:
                return "refused"
            finally:
                storage.close()
            return f"f{number}"

        Storage(url).close()
        taken, *refused = sorted(_all_at_once(save))
        assert refused == ["refused"] * (_DRIVERS - 1)
        storage = Storage(url)
        (study,) = storage.studies()
        assert study.fingerprint == taken
        names = [search.name for search in storage.searches(study.id)]
        assert names == [f"search of {taken}"]
        storage.close()

    def test_who_extends_a_study_sees_what_is_saved_meanwhile(self, bench: Bench) -> None:
        """The second one begins while the first one's transaction is open."""
        seen: list[str] = []

        def second() -> None:
            storage = Storage(bench.url)
            _extend(storage, "second", lambda stored: seen.append(stored.fingerprint))
            storage.close()

        with ThreadPoolExecutor(1) as pool:
            waits: list[Future[None]] = []
            _extend(bench.storage, "first", lambda _: waits.append(pool.submit(second)))
            waits[0].result()
        assert seen == ["first"]

    def test_what_a_check_refuses_is_left_as_it_was(self, bench: Bench) -> None:
        with pytest.raises(_Refused):
            _save_or_refuse(bench.storage, "other", name="demo")
        found = bench.storage.study("demo")
        assert found == bench.study
        assert len(bench.storage.searches(found.id)) == len(SEARCHES)

    def test_searches_that_propose_at_once_stay_within_the_trials_of_the_study(
        self, bench: Bench
    ) -> None:
        names = [f"s{number}" for number in range(_DRIVERS)]
        bench.save(searches=[(name, "search", "ew") for name in names])
        ids = [bench.search(name) for name in names]
        points = [Proposal(params=str(n), written=str(n), round=0) for n in range(5)]

        def propose(number: int) -> bool:
            storage = Storage(bench.url)
            done = storage.propose(
                ids[number], stage=0, kind="grid", tuned="lr", new=points, most_trials=12
            )
            storage.close()
            return done

        assert sorted(_all_at_once(propose)) == [False, False, True, True]
        assert bench.storage.totals(bench.study.id).trials == 10

    def test_proposing_at_once_is_proposing_once(self, bench: Bench) -> None:
        search, url = bench.search(), bench.url
        points = [
            Proposal(params=str(number), written=str(number), round=0) for number in range(20)
        ]

        def propose(_: int) -> None:
            storage = Storage(url)
            storage.propose(search, stage=0, kind="grid", tuned="lr", new=points)
            storage.close()

        _all_at_once(propose)
        entries = bench.storage.history(search).entries
        assert [(e.trial, e.params) for e in entries] == [(n, str(n)) for n in range(20)]

    def test_adding_runs_at_once_adds_them_once(self, bench: Bench) -> None:
        points = [str(number) for number in range(20)]
        bench.propose(*points)

        def add(number: int) -> None:
            other = Bench(bench.url, pid=number)
            other.add_runs(*points)
            other.storage.close()

        _all_at_once(add)
        assert [run.params for run in bench.outcomes()] == points

    def test_deciding_at_once_leaves_one_decision(self, bench: Bench) -> None:
        bench.propose("a")
        search = bench.search()

        def decide(_: int) -> None:
            storage = Storage(bench.url)
            storage.decide(search, decision(0, "a"))
            storage.close()

        _all_at_once(decide)
        assert len(bench.storage.history(search).decisions) == 1

    def test_setting_a_baseline_at_once_leaves_one(self, bench: Bench) -> None:
        def set_it(_: int) -> None:
            storage = Storage(bench.url)
            storage.set_baseline(bench.study.id, baseline())
            storage.close()

        _all_at_once(set_it)
        assert len(bench.view("baseline_metrics")) == len(baseline().values)

    def test_scoring_at_once_leaves_one_score_a_run(self, bench: Bench) -> None:
        points = [str(number) for number in range(20)]
        bench.plan(*points)
        for claim in bench.claim(20):
            bench.train(claim, (0.2, 0.2))
        bench.storage.set_baseline(bench.study.id, baseline())

        def score(_: int) -> None:
            storage = Storage(bench.url)
            storage.score(bench.study.id, DELTA_M, Selection(), reference=reference(baseline()))
            storage.close()

        _all_at_once(score)
        assert [run.value for run in bench.outcomes()] == [0.0] * 20

    def test_workers_of_one_environment_may_register_at_once(self, url: str) -> None:
        Bench(url).storage.close()

        def register(number: int) -> int:
            bench = Bench(url, pid=number)
            bench.storage.close()
            return bench.worker_id

        assert len(set(_all_at_once(register))) == _DRIVERS

    def test_processes_never_claim_a_run_twice(self, bench: Bench) -> None:
        points = [str(number) for number in range(50)]
        bench.plan(*points, seeds=(0, 1))
        claimed = Counter(_claims_of_processes(bench.url))
        assert claimed == Counter(run.run for run in bench.outcomes())
        assert bench.storage.totals(bench.study.id).states == {RunState.DONE: 100}

    def test_a_lease_is_seen_by_other_drivers(self, bench: Bench) -> None:
        bench.plan("a")
        bench.claim_one()
        other = Bench(bench.url, pid=2)
        assert other.claim() == []
        assert other.take_back(holder(pid=1)) == 1
        assert len(other.claim()) == 1
        other.storage.close()

    def test_leases_last_by_the_databases_own_clock(self, bench: Bench) -> None:
        bench.plan("a", "b")
        storage = Storage(bench.url)
        driver = {"holder_id": bench.holder_id, "worker_id": bench.worker_id}
        storage.claim(bench.study.id, **driver, n=1, lease_s=3600)
        (expired,) = storage.claim(bench.study.id, **driver, n=1, lease_s=-1).claims
        assert storage.take_back(bench.study.id, liveness=lambda _: Liveness.UNKNOWN) == 1
        assert bench.outcome(expired.run).state is RunState.WAITING
        storage.close()

    def test_a_readers_engine_cannot_write(self, bench: Bench) -> None:
        reader = Reader(bench.url)
        with (
            pytest.raises(sa.exc.DBAPIError, match=r"read-?only"),
            reader._database.engine.begin() as connection,
        ):
            connection.exec_driver_sql("INSERT INTO series VALUES (1, 1, 'test', 'a', 'error')")
        reader.close()

    def test_a_reading_transaction_cannot_write(self, bench: Bench) -> None:
        with (
            pytest.raises(DatabaseUnusable, match=r"read-?only"),
            bench.storage._database.read() as connection,
        ):
            connection.exec_driver_sql("INSERT INTO series VALUES (1, 1, 'test', 'a', 'error')")

    def test_a_storage_writes_after_it_has_read(self, bench: Bench) -> None:
        bench.storage.studies()
        bench.plan("a")
        assert bench.storage.busy_searches(bench.study.id) == {bench.search()}

    def test_a_reader_sees_what_was_written_after_it_was_opened(self, bench: Bench) -> None:
        reader = Reader(bench.url)
        assert reader.view("run_results", "demo")[1] == []
        bench.plan("a")
        columns, (row,) = reader.view("run_results", "demo")
        assert dict(zip(columns, row, strict=True))["params"] == "a"
        reader.close()


class TestTogetherOnFile(TogetherPromises, OnFile):
    pass


class TestTogetherOnPostgres(TogetherPromises, OnNewPostgres):
    def test_a_run_is_not_taken_away_while_its_reports_are_written(self, bench: Bench) -> None:
        bench.plan("a")
        claim = bench.claim_one()
        sweeper = Storage(bench.url)
        with ThreadPoolExecutor(1) as pool:
            with sweeper._database.write() as connection:
                take_back(connection, [lost(claim)])
                recording = pool.submit(bench.storage.record, [epoch(claim, 1, 0.1, 0.1)])
                wait_until_blocked(sweeper, recording)
            assert recording.result(60).rejected == [Rejected(run=claim.run, token=claim.token)]
        assert bench.view("epoch_metrics") == []
        sweeper.close()


class _Refused(Exception):
    pass


def _save_or_refuse(storage: Storage, fingerprint: str, *, name: str = "new") -> None:
    def check(stored: StudyRecord) -> None:
        if stored.fingerprint != fingerprint:
            raise _Refused

    storage.save_study(
        name=name,
        spec={},
        card={},
        fingerprint=fingerprint,
        searches=[(f"search of {fingerprint}", "search", "ew")],
        check=check,
    )


def _extend(storage: Storage, fingerprint: str, check: Callable[[StudyRecord], None]) -> None:
    storage.save_study(
        name="demo", spec={}, card={}, fingerprint=fingerprint, searches=SEARCHES, check=check
    )


def _all_at_once(do: Callable[[int], R]) -> list[R]:
    barrier = Barrier(_DRIVERS, timeout=60)

    def wait_and_do(number: int) -> R:
        barrier.wait()
        return do(number)

    with ThreadPoolExecutor(_DRIVERS) as pool:
        return list(pool.map(wait_and_do, range(_DRIVERS)))


def _claims_of_processes(url: str) -> list[int]:
    """What four drivers claim that begin together, each in its own process."""
    drivers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.contract.storage_claimer", url, str(100 + number)],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(_DRIVERS)
    ]
    for driver in drivers:
        assert driver.stdout is not None
        assert driver.stdout.readline() == "ready\n"
    for driver in drivers:
        assert driver.stdin is not None
        driver.stdin.write("go\n")
        driver.stdin.flush()
    printed = [driver.communicate(timeout=240)[0] for driver in drivers]
    assert [driver.returncode for driver in drivers] == [0] * _DRIVERS
    return [int(word) for text in printed for word in text.split()]
