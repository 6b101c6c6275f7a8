"""Promises of `Storage` about networks that are kept: whose, of which epoch, and until when."""

from __future__ import annotations

import pytest

from storage import RunState, StudyChanged
from storage.records import (
    Baseline,
    Claim,
    InitialNetwork,
    NetworkFile,
    NetworkRecord,
    ParentNetworks,
    SelectedEpoch,
    Spent,
    StoredNetwork,
)
from storage.scoring import Selection
from storage.states import Liveness
from tests.contract.storage_backends import Backend, OnFile, OnMemory, OnPostgres
from tests.contract.storage_bench import (
    DELTA_M,
    PRIMARY,
    Bench,
    baseline,
    claimed,
    end,
    epoch,
    reference,
)

BEST = Selection()


def a_file(claim: Claim, number: int) -> NetworkFile:
    path = f"network-run{claim.run}-token{claim.token}-epoch{number}.pt"
    return NetworkFile(epoch=number, path=path, size_bytes=10 * number, sha256="5" * 64)


def a_network(key: str) -> InitialNetwork:
    return InitialNetwork(run_key=key, epoch=3, path=f"{key}.pt", sha256="5" * 64)


def kept(claim: Claim, *epochs: int, seconds: float = 0.0) -> NetworkRecord:
    return NetworkRecord(
        run=claim.run,
        token=claim.token,
        files=[a_file(claim, number) for number in epochs],
        spent=Spent(checkpoint_s=seconds),
    )


class NetworkPromises(Backend):
    def test_what_is_kept_is_told_with_the_selected_epoch(self, bench: Bench) -> None:
        claim = claimed(bench)
        bench.storage.record(
            [epoch(claim, 1, 0.3, 0.3), epoch(claim, 2, 0.2, 0.3), kept(claim, 1, 2), end(claim)]
        )
        assert self.files(bench, claim) == [(1, None), (2, None)]
        assert bench.storage.selected_epoch(claim.run) is None
        self.score(bench, baseline("one"))
        assert self.files(bench, claim) == [(1, 2), (2, 2)]
        assert bench.storage.selected_epoch(claim.run) == SelectedEpoch(
            run_key=claim.key, epoch=2, network=a_file(claim, 2)
        )
        assert bench.storage.network_bytes(bench.study.id) == 30

    def test_a_score_of_an_earlier_baseline_selects_nothing(self, bench: Bench) -> None:
        claim = claimed(bench)
        bench.storage.record([epoch(claim, 1, 0.3, 0.3), kept(claim, 1), end(claim)])
        self.score(bench, baseline("one"))
        bench.storage.set_baseline(bench.study.id, baseline("two", error=0.3))
        assert self.files(bench, claim) == [(1, None)]
        assert bench.storage.selected_epoch(claim.run) is None
        assert bench.storage.best_trials(bench.study.id, DELTA_M, n_seeds=1) == []

    def test_single_tasks_are_selected_by_their_own_metric(self, bench: Bench) -> None:
        bench.plan("a", search="stl/a", role="baseline")
        claim = bench.claim_one()
        bench.storage.record(
            [epoch(claim, 1, 0.1, 0.3), epoch(claim, 2, 0.2, 0.3), kept(claim, 1), end(claim)]
        )
        bench.storage.score(bench.study.id, PRIMARY, BEST)
        assert self.files(bench, claim) == [(1, 1)]

    def test_what_was_trained_again_takes_the_place_of_what_was_kept(self, bench: Bench) -> None:
        claim = claimed(bench)
        bench.storage.record([epoch(claim, 1, 0.3, 0.3), kept(claim, 1), end(claim)])
        self.score(bench, baseline("one"))
        again = NetworkFile(epoch=1, path="again.pt", size_bytes=7, sha256="6" * 64)
        for _ in range(2):
            bench.storage.keep_network(claim.run, again)
            assert bench.storage.selected_epoch(claim.run) == SelectedEpoch(
                run_key=claim.key, epoch=1, network=again
            )
        assert bench.storage.network_bytes(bench.study.id) == 7
        for search, number in (("ew", 1), ("stl/a", 2)):
            before = InitialNetwork(run_key=claim.key, epoch=number, path="gone", sha256="5" * 64)
            bench.storage.fix_initial(bench.search(search), ParentNetworks(shared=before))
        bench.storage.keep_network(claim.run, again)
        found = {of.name: of.initial for of in bench.storage.searches(bench.study.id)}
        assert found["stl/a"] == ParentNetworks(shared=before), "after another epoch"
        assert found["ew"] == ParentNetworks(
            shared=InitialNetwork(run_key=claim.key, epoch=1, path="again.pt", sha256="6" * 64)
        )
        with pytest.raises(StudyChanged, match="is not in this database any more"):
            bench.storage.keep_network(claim.run + 1000, again)

    def test_forgotten_is_not_there(self, bench: Bench) -> None:
        claim = claimed(bench)
        bench.storage.record([epoch(claim, 1, 0.3, 0.3), kept(claim, 1, 2), end(claim)])
        bench.storage.forget_networks([a_file(claim, 1).path])
        bench.storage.forget_networks([])
        assert self.files(bench, claim) == [(2, None)]
        self.score(bench, baseline("one"))
        assert bench.storage.selected_epoch(claim.run) == SelectedEpoch(
            run_key=claim.key, epoch=1, network=None
        )

    def test_those_of_some_runs_can_be_asked_for(self, bench: Bench) -> None:
        bench.plan("a", "b")
        first, second = bench.claim(2)
        bench.storage.record([kept(first, 1), kept(second, 1)])
        found = bench.storage.network_files(bench.study.id, runs=[second.run])
        assert found == [StoredNetwork(run=second.run, file=a_file(second, 1), selected=None)]

    def test_written_twice_it_is_there_once_and_is_paid_once(self, bench: Bench) -> None:
        claim = claimed(bench)
        batch = [epoch(claim, 1, 0.3, 0.3), kept(claim, 1, seconds=2.0), end(claim)]
        for _ in range(2):
            assert not bench.storage.record(batch).rejected
        assert self.files(bench, claim) == [(1, None)]
        assert bench.attempts(claim.run)[0]["checkpoint_s"] == pytest.approx(2.0)

    def test_a_stale_attempts_are_refused(self, bench: Bench) -> None:
        old = claimed(bench)
        bench.take_back(bench.holder)
        new = bench.claim_one()
        assert bench.storage.record([kept(old, 1)]).rejected
        bench.storage.record([epoch(new, 1, 0.3, 0.3), kept(new, 1), end(new)])
        assert bench.storage.record([kept(old, 1)]).rejected
        assert [one.file.path for one in bench.storage.network_files(bench.study.id)] == [
            a_file(new, 1).path
        ]

    def test_those_of_an_attempt_that_did_not_come_to_its_end_are_replaced(
        self, bench: Bench
    ) -> None:
        old = claimed(bench)
        bench.storage.record([epoch(old, 1, 0.3, 0.3), kept(old, 1, 2)])
        bench.take_back(bench.holder)
        new = bench.claim_one()
        bench.storage.record([epoch(new, 1, 0.3, 0.3), kept(new, 1), end(new)])
        assert [one.file.path for one in bench.storage.network_files(bench.study.id)] == [
            a_file(new, 1).path
        ]

    def test_they_go_with_their_study(self, bench: Bench) -> None:
        claim = claimed(bench)
        bench.storage.record([kept(claim, 1), end(claim, RunState.FAILED)])
        bench.storage.delete_study(bench.study.id, liveness=lambda _holder: Liveness.DEAD)
        assert bench.storage.network_files(bench.study.id) == []

    def test_what_a_search_begins_from_is_fixed_once_and_comes_with_its_claims(
        self, bench: Bench
    ) -> None:
        bench.plan("a")
        first, second = (ParentNetworks(shared=a_network(key)) for key in ("one", "two"))
        assert bench.storage.fix_initial(bench.search(), first) == first
        assert bench.storage.fix_initial(bench.search(), second) == first
        records = {record.name: record for record in bench.storage.searches(bench.study.id)}
        assert records["ew"].initial == first
        assert records["stl/a"].initial is None
        assert bench.claim_one().initial == first.shared

    def test_each_seed_may_begin_from_a_network_of_its_own(self, bench: Bench) -> None:
        bench.plan("a", seeds=(3, 4))
        fewer = ParentNetworks(trial=2, by_seed={4: a_network("four")})
        more = ParentNetworks(trial=2, by_seed={4: a_network("four"), 3: a_network("three")})
        assert bench.storage.fix_initial(bench.search(), fewer) == fewer
        assert bench.storage.fix_initial(bench.search(), more) == fewer, "it is fixed"
        assert bench.storage.fix_initial(bench.search(), more, instead=fewer) == more
        begun = {claim.seed: claim.initial for claim in (bench.claim_one(), bench.claim_one())}
        assert begun == more.by_seed

    def score(self, bench: Bench, measured: Baseline) -> None:
        bench.storage.set_baseline(bench.study.id, measured)
        bench.storage.score(bench.study.id, DELTA_M, BEST, reference=reference(measured))

    def files(self, bench: Bench, claim: Claim) -> list[tuple[int, int | None]]:
        found = bench.storage.network_files(bench.study.id)
        assert all(one.run == claim.run for one in found)
        return [(one.file.epoch, one.selected) for one in found]


class TestMemory(OnMemory, NetworkPromises):
    pass


class TestFile(OnFile, NetworkPromises):
    pass


class TestPostgres(OnPostgres, NetworkPromises):
    pass
