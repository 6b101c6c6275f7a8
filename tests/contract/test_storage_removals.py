"""Promises of `Storage` about studies that are deleted or renamed."""

from __future__ import annotations

import pytest

from storage import Liveness, UnknownStudy
from storage.errors import NameTaken, StudyChanged, StudyInUse
from storage.records import EpochTiming, Holder, NetworkLook
from storage.schema.tables import metadata
from tests.contract.storage_backends import Backend, OnFile, OnMemory, OnPostgres
from tests.contract.storage_bench import Bench
from tests.contract.storage_demo import make_demo

LOOK = NetworkLook(convolutional=False, obstacle="", streamed=False, unsaved="")
_SHARED = {"environments", "holders", "calibrations", "audit"}
"""Tables whose rows belong to no study, or outlive it."""


def _counts(bench: Bench) -> dict[str, int]:
    with bench.storage._database.read() as connection:
        return {
            table.name: connection.exec_driver_sql(f"SELECT count(*) FROM {table.name}").scalar()
            for table in metadata.sorted_tables
            if table.name not in _SHARED
        }


def _dead(_holder: Holder) -> Liveness:
    return Liveness.DEAD


class RemovalPromises(Backend):
    def test_a_study_is_deleted_and_the_others_stay_whole(self, bench: Bench) -> None:
        empty = {name: int(name in ("studies", "change_counters")) for name in _counts(bench)}
        other = bench.save("other")
        before = _counts(bench)
        make_demo(bench)
        bench.storage.save_network_look(bench.study.id, "code", LOOK)
        timing = EpochTiming(
            search_id=bench.search(), sweep=0, hardware="h", epoch_s=1.0, charged_s=1.0
        )
        bench.storage.save_timings(
            [timing], study_id=bench.study.id, worker_id=bench.worker_id, seconds=1.0
        )
        bench.storage.delete_study(bench.study.id, liveness=_dead)
        assert [study.name for study in bench.storage.studies()] == ["other"]
        after = _counts(bench)
        n_searches = len(bench.storage.searches(other.id))
        assert after == empty | {"searches": n_searches}
        assert before["searches"] == 2 * n_searches

    def test_its_name_is_free_for_another_one(self, bench: Bench) -> None:
        make_demo(bench)
        bench.storage.delete_study(bench.study.id, liveness=_dead)
        again = bench.save()
        assert again.birth != bench.study.birth
        assert bench.storage.history(bench.storage.searches(again.id)[0].id).outcomes == ()

    def test_what_is_deleted_cannot_be_deleted_again(self, bench: Bench) -> None:
        bench.storage.delete_study(bench.study.id, liveness=_dead)
        with pytest.raises(StudyChanged, match="was deleted"):
            bench.storage.delete_study(bench.study.id, liveness=_dead)

    @pytest.mark.parametrize("lives", [Liveness.ALIVE, Liveness.UNKNOWN])
    def test_it_is_left_alone_while_it_is_trained(self, bench: Bench, lives: Liveness) -> None:
        bench.plan("a")
        bench.claim_one()
        before = _counts(bench)
        with pytest.raises(
            StudyInUse, match=r"process 1 on here works on.*`weighbridge stop demo`"
        ):
            bench.storage.delete_study(bench.study.id, liveness=lambda _: lives)
        with pytest.raises(StudyInUse, match="process 1 on here works on"):
            bench.storage.rename_study(bench.study.id, "new", liveness=lambda _: lives)
        assert _counts(bench) == before
        assert bench.storage.study("demo") == bench.study

    def test_a_lease_that_has_expired_is_nobodys(self, bench: Bench) -> None:
        bench.plan("a")
        bench.claim_one()
        bench.clock.now_s += 100
        bench.storage.delete_study(bench.study.id, liveness=lambda _: Liveness.UNKNOWN)
        assert bench.storage.studies() == []

    def test_what_a_driver_does_on_a_deleted_study_is_refused(self, bench: Bench) -> None:
        bench.plan("a")
        search = bench.search()
        bench.storage.delete_study(bench.study.id, liveness=_dead)
        with pytest.raises(StudyChanged, match="was deleted by another command"):
            bench.storage.add_runs(search, [])

    def test_a_renamed_study_is_the_same_one(self, bench: Bench) -> None:
        make_demo(bench)
        rows = bench.view("run_results")
        bench.storage.rename_study(bench.study.id, "new", liveness=_dead)
        found = bench.storage.study("new")
        assert found.spec["name"] == "new"
        kept = ("id", "birth", "key_name", "first_name", "created_at", "plan", "fingerprint")
        assert [getattr(found, name) for name in kept] == [
            getattr(bench.study, name) for name in kept
        ]
        assert bench.view("run_results") == [row | {"study": "new"} for row in rows]
        with pytest.raises(UnknownStudy, match="It holds: new"):
            bench.storage.study("demo")

    def test_a_taken_name_is_refused(self, bench: Bench) -> None:
        bench.save("other")
        with pytest.raises(NameTaken, match="Got 'other', which is taken"):
            bench.storage.rename_study(bench.study.id, "other", liveness=_dead)
        assert bench.storage.study("demo") == bench.study


class TestRemovalsInMemory(RemovalPromises, OnMemory):
    pass


class TestRemovalsOnFile(RemovalPromises, OnFile):
    pass


class TestRemovalsOnPostgres(RemovalPromises, OnPostgres):
    pass
