"""Promises of `Storage` about studies that are sealed, and about revisions of specs."""

from __future__ import annotations

from storage.records import StudyRecord
from tests.contract.storage_backends import Backend, OnFile, OnMemory, OnPostgres
from tests.contract.storage_bench import SEARCHES, Bench


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


class TestSealingOnMemory(SealingPromises, OnMemory):
    """On a database in memory."""


class TestSealingOnFile(SealingPromises, OnFile):
    """On a SQLite file."""


class TestSealingOnPostgres(SealingPromises, OnPostgres):
    """On a PostgreSQL server."""
