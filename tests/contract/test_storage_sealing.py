"""Promises of `Storage` about studies that are sealed, and about revisions of specs."""

from __future__ import annotations

from datetime import UTC, datetime

from storage.records import StudyRecord
from storage.schema.tables import studies
from storage.scoring import Selection
from tests.contract.storage_backends import Backend, OnFile, OnMemory, OnPostgres
from tests.contract.storage_bench import PRIMARY, SEARCHES, Bench, claimed
from tests.contract.storage_follower import Follower


class SealingPromises(Backend):
    def test_a_sealed_study_shows_its_test_values_once_it_is_unsealed(self, bench: Bench) -> None:
        sealed = bench.storage.save_study(
            name="sealed", spec={}, card={}, fingerprint="f", searches=SEARCHES, sealed=True
        )
        assert (sealed.sealed, bench.study.sealed) == (True, False)
        opened = bench.storage.unseal(sealed.id)
        assert (opened.sealed, opened.sealed_at) == (False, sealed.sealed_at)
        assert bench.storage.unseal(sealed.id) == opened == bench.storage.study("sealed")
        assert not bench.storage.unseal(bench.study.id).unsealed_at

    def test_what_was_changed_of_a_spec_or_refused_is_kept(self, bench: Bench) -> None:
        def save(spec: dict[str, object]) -> StudyRecord:
            return bench.storage.save_study(
                name="grown", spec=spec, card={}, fingerprint="f", searches=SEARCHES
            )

        study = save({"seeds": [0]})
        save({"seeds": [0]})
        save({"seeds": [0, 1]})
        bench.storage.note_refused(study.id, {"seeds": [1]})
        found = bench.storage.revisions(study.id)
        assert [(one.accepted, one.spec["seeds"], one.runs_ended) for one in found] == [
            (True, [0], 0), (False, [1], 0)
        ]  # fmt: skip


class FollowedSealing(Backend):
    def test_a_follower_is_told_the_test_values_once_they_are_shown(self, bench: Bench) -> None:
        with bench.storage._database.write() as connection:
            connection.execute(studies.update().values(sealed_at=datetime.now(UTC)))
        bench.train(claimed(bench), (0.2, 0.1))
        bench.storage.score(bench.study.id, PRIMARY, Selection())
        bench.storage.score(bench.study.id, {"ew": PRIMARY["stl/a"]}, Selection())
        follower = Follower(bench.url)
        (sealed,) = follower.page().runs
        assert (sealed.value_val, sealed.value_test) == (0.2, None)
        assert follower.page().runs == ()
        bench.storage.unseal(bench.study.id)
        (shown,) = follower.page().runs
        assert (shown.value_val, shown.value_test) == (0.2, 0.1)
        follower.reader.close()


class TestFollowedSealingOnFile(FollowedSealing, OnFile):
    """On a SQLite file."""


class TestFollowedSealingOnPostgres(FollowedSealing, OnPostgres):
    """On a PostgreSQL server."""


class TestSealingOnMemory(SealingPromises, OnMemory):
    """On a database in memory."""


class TestSealingOnPostgres(SealingPromises, OnPostgres):
    """On a PostgreSQL server."""
