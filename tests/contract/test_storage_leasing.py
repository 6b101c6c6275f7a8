"""Promises of `Storage` about leases: who trains what, for how long, and who may take over."""

from __future__ import annotations

from storage import RunState
from storage.limits import Limit, Limits
from storage.records import CheckpointRecord, Claim, Holder, Spent
from storage.states import Liveness
from tests.contract.storage_backends import Backend, OnMemory, OnPostgres
from tests.contract.storage_bench import Bench, end, epoch, holder


class LeasingPromises(Backend):
    def test_a_claim_holds_all_that_a_worker_must_know(self, bench: Bench) -> None:
        bench.plan("a", seeds=(4,))
        (claim,) = bench.claim()
        assert (claim.search, claim.role, claim.weighting) == ("ew", "search", "ew")
        assert (claim.params, claim.seed, claim.checkpoints) == ("a", 4, ())

    def test_nothing_waiting_is_an_empty_claim(self, bench: Bench) -> None:
        assert bench.claim(5) == []

    def test_runs_of_another_study_are_left_alone(self, bench: Bench) -> None:
        bench.plan("a")
        other = bench.save("other")
        claimed = bench.storage.claim(
            other.id, holder_id=bench.holder_id, worker_id=bench.worker_id, n=1, lease_s=60
        )
        assert claimed.claims == []

    def test_a_run_is_claimed_once(self, bench: Bench) -> None:
        bench.plan("a", "b")
        claimed = [claim.run for _ in range(3) for claim in bench.claim()]
        assert len(claimed) == len(set(claimed)) == 2

    def test_the_first_in_line_is_by_rank_then_trial_then_seed(self, bench: Bench) -> None:
        bench.plan("late", "x", seeds=(1, 0), rank=5)
        bench.plan("stl", search="stl/a", rank=0)
        bench.propose("x", "y")
        bench.add_runs("y", rank=4)
        order = [(claim.params, claim.seed) for claim in _claim_all(bench)]
        assert order == [
            ("stl", 0), ("y", 0), ("late", 0), ("late", 1), ("x", 0), ("x", 1)
        ]  # fmt: skip

    def test_a_pack_is_in_the_same_order(self, bench: Bench) -> None:
        bench.plan("a", "b", seeds=(1, 0))
        order = [(claim.params, claim.seed) for claim in bench.claim(3)]
        assert order == [("a", 0), ("a", 1), ("b", 0)]

    def test_a_claim_has_runs_of_one_pack_key_only(self, bench: Bench) -> None:
        bench.propose("a", "b", "c")
        bench.add_runs("a", "c", pack="one")
        bench.add_runs("b", pack="two")
        packs = [[claim.params for claim in bench.claim(9)] for _ in range(3)]
        assert packs == [["a", "c"], ["b"], []]

    def test_a_run_is_claimed_by_its_number_wherever_in_line_it_is(self, bench: Bench) -> None:
        bench.plan("a", "b", "c")
        first, _, last = bench.claim(3)
        bench.storage.record([end(one, RunState.WAITING) for one in (first, last)])
        (claim,) = bench.claimed(9, run=last.run).claims
        assert (claim.params, claim.token) == ("c", last.token + 1)
        assert bench.claimed(9, run=last.run).claims == [], "it does not wait any more"
        no_epochs = Limits(study=Limit(epochs=0))
        assert bench.claimed(9, run=first.run, limits=no_epochs).claims == []
        assert [one.params for one in bench.claim(9)] == ["a"]

    def test_a_claim_is_no_larger_than_asked(self, bench: Bench) -> None:
        bench.plan("a", "b", "c")
        assert len(bench.claim(2)) == 2

    def test_workers_that_share_get_packs_of_one_size(self, bench: Bench) -> None:
        bench.plan(*map(str, range(36)))
        assert len(bench.claimed(99, shares=2).claims) == 18
        assert len(bench.claimed(99, shares=2, in_training=18).claims) == 18

    def test_a_small_pack_key_is_not_cut_while_others_wait(self, bench: Bench) -> None:
        bench.plan(*map(str, range(3)), pack="small", rank=1)
        bench.plan(*map(str, range(3, 9)))
        assert len(bench.claimed(99, shares=2).claims) == 3

    def test_where_searches_differ_the_first_in_line_says_how_many(self, bench: Bench) -> None:
        bench.plan("a", "b", "c", pack="solo")
        bench.plan("d", "e", "f", search="stl/a", rank=9)
        sizes = {bench.search("ew"): 1, bench.search("stl/a"): 2}

        def most(search: int, written: str) -> int:
            return sizes[search]

        packs = [bench.claimed(most, shares=shares).claims for shares in (1, 1, 2, 1, 2)]
        assert [[claim.params for claim in pack] for pack in packs] == [
            *(["a"], ["b"], ["c"]),
            *(["d", "e"], ["f"]),
        ]

    def test_where_points_differ_the_first_in_line_says_how_many(self, bench: Bench) -> None:
        bench.plan("a", "b", "c", "d")
        sizes = {"a": 3, "d": 1}
        packs = [bench.claimed(lambda _, written: sizes[written]).claims for _ in range(2)]
        assert [len(pack) for pack in packs] == [3, 1]

    def test_a_share_is_no_larger_than_asked_and_never_empty(self, bench: Bench) -> None:
        bench.plan(*map(str, range(9)))
        assert len(bench.claimed(3, shares=2).claims) == 3
        assert len(bench.claimed(9, shares=99).claims) == 1

    def test_tokens_grow_with_each_attempt(self, bench: Bench) -> None:
        bench.plan("a")
        tokens = []
        for _ in range(3):
            claim = bench.claim_one()
            tokens.append(claim.token)
            bench.storage.record([end(claim, RunState.WAITING)])
        assert tokens == [1, 2, 3]

    def test_each_claim_is_an_attempt_of_its_worker(self, bench: Bench) -> None:
        bench.plan("a")
        claim = bench.claim_one()
        (row,) = bench.attempts(claim.run)
        assert (row["attempt"], row["worker"], row["state"]) == (
            claim.attempt, bench.worker_id, "running"
        )  # fmt: skip

    def test_a_driver_is_registered_once(self, bench: Bench) -> None:
        again = bench.storage.register_holder(holder())
        other = bench.storage.register_holder(holder(pid=2))
        assert again == bench.holder_id != other

    def test_a_workers_start_up_is_an_attempt_without_a_run(self, bench: Bench) -> None:
        worker = bench.add_worker(startup_s=2.5)
        row = next(row for row in bench.view("attempt_costs") if row["worker"] == worker)
        assert (row["kind"], row["run"], row["startup_s"]) == ("startup", None, 2.5)

    def test_an_expired_lease_goes_back_to_the_queue(self, bench: Bench) -> None:
        bench.plan("a")
        claim = bench.claim(lease_s=60)[0]
        bench.clock.now_s += 60.5
        assert bench.take_back() == 1
        assert bench.outcome(claim.run).state is RunState.WAITING

    def test_a_fresh_lease_of_a_living_driver_stays(self, bench: Bench) -> None:
        bench.plan("a")
        claim = bench.claim(lease_s=60)[0]
        bench.clock.now_s += 59.5
        assert bench.take_back() == 0
        assert bench.outcome(claim.run).state is RunState.LEASED

    def test_a_dead_drivers_lease_is_taken_over_at_once(self, bench: Bench) -> None:
        bench.plan("a")
        claim = bench.claim_one()
        assert bench.take_back(bench.holder) == 1
        assert bench.outcome(claim.run).state is RunState.WAITING

    def test_a_living_driver_keeps_what_a_dead_one_loses(self, bench: Bench) -> None:
        bench.plan("a", "b")
        dead, alive = bench.claim_one(), _claim_as(bench, holder(pid=2))
        assert bench.take_back(bench.holder) == 1
        assert bench.outcome(dead.run).state is RunState.WAITING
        assert bench.outcome(alive.run).state is RunState.LEASED

    def test_a_lost_attempt_is_kept_with_its_cost_and_the_reason(self, bench: Bench) -> None:
        bench.plan("a")
        claim = bench.claim_one()
        bench.storage.record([epoch(claim, 1, 0.1, 0.1, spent=Spent(train_s=4.0))])
        bench.take_back(bench.holder)
        (row,) = bench.attempts(claim.run)
        assert (row["state"], row["failure"], row["train_s"]) == ("lost", "DriverLost", 4.0)
        assert row["ended"] is not None

    def test_a_renewed_lease_lasts_from_the_renewal(self, bench: Bench) -> None:
        bench.plan("a")
        claim = bench.claim(lease_s=60)[0]
        bench.clock.now_s += 50
        bench.storage.renew(bench.holder_id, [claim.run], lease_s=60)
        bench.clock.now_s += 50
        assert bench.take_back() == 0

    def test_only_the_named_runs_are_renewed(self, bench: Bench) -> None:
        bench.plan("a", "b")
        kept, _ = bench.claim(2, lease_s=60)
        bench.storage.renew(bench.holder_id, [kept.run], lease_s=600)
        bench.clock.now_s += 100
        assert bench.take_back() == 1
        assert bench.outcome(kept.run).state is RunState.LEASED

    def test_nobody_renews_the_lease_of_another(self, bench: Bench) -> None:
        bench.plan("a")
        claim = bench.claim(lease_s=60)[0]
        other = bench.storage.register_holder(holder(pid=2))
        bench.storage.renew(other, [claim.run], lease_s=600)
        bench.clock.now_s += 100
        assert bench.take_back() == 1

    def test_a_lease_that_is_renewed_meanwhile_is_not_taken(self, bench: Bench) -> None:
        bench.plan("a")
        claim = bench.claim(lease_s=60)[0]
        bench.clock.now_s += 100

        def renews_while_it_is_looked_at(_: Holder) -> Liveness:
            bench.storage.renew(bench.holder_id, [claim.run], lease_s=60)
            return Liveness.UNKNOWN

        taken = bench.storage.take_back(bench.study.id, liveness=renews_while_it_is_looked_at)
        assert taken == 0
        assert bench.outcome(claim.run).state is RunState.LEASED

    def test_a_living_driver_keeps_its_lease_when_the_clock_jumps(self, bench: Bench) -> None:
        bench.plan("a")
        claim = bench.claim(lease_s=60)[0]
        bench.clock.now_s += 1e6
        taken = bench.storage.take_back(bench.study.id, liveness=lambda _: Liveness.ALIVE)
        assert taken == 0
        assert bench.outcome(claim.run).state is RunState.LEASED

    def test_a_driver_is_told_of_all_its_leases(self, bench: Bench) -> None:
        bench.plan("a", "b", "c")
        mine = bench.claim(2)
        _claim_as(bench, holder(pid=2))
        found = bench.storage.leased_by(bench.study.id, bench.holder_id)
        assert found == [(claim.run, claim.token) for claim in mine]

    def test_leases_in_another_study_are_not_told(self, bench: Bench) -> None:
        bench.plan("a")
        bench.claim_one()
        assert bench.storage.leased_by(bench.save("other").id, bench.holder_id) == []

    def test_one_run_is_taken_back_by_its_token(self, bench: Bench) -> None:
        bench.plan("a")
        claim = bench.claim_one()
        why = "a long story " * 30
        assert bench.storage.take_back_run(claim.run, claim.token, "WorkerLost", why)
        (row,) = bench.attempts(claim.run)
        assert (row["failure"], row["failure_text"]) == ("WorkerLost", why)

    def test_a_lost_attempt_pays_for_the_time_since_its_last_report(self, bench: Bench) -> None:
        bench.plan("a")
        claim = bench.claim_one()
        bench.storage.record([epoch(claim, 1, 0.1, 0.1)])
        bench.storage.take_back_run(claim.run, claim.token, "WorkerLost", "", unbooked_s=2.5)
        (row,) = bench.attempts(claim.run)
        assert row["device_s"] == 1.5 + 2.5

    def test_a_run_that_moved_on_is_not_taken_back(self, bench: Bench) -> None:
        bench.plan("a")
        old = bench.claim_one()
        bench.storage.take_back_run(old.run, old.token, "WorkerLost", "")
        bench.claim_one()
        assert not bench.storage.take_back_run(old.run, old.token, "WorkerLost", "")
        assert bench.outcome(old.run).state is RunState.LEASED

    def test_a_second_attempt_goes_on_from_the_newest_checkpoint(self, bench: Bench) -> None:
        bench.plan("a")
        first = bench.claim_one()
        bench.storage.record([_checkpoint(first, 1), _checkpoint(first, 2)])
        bench.take_back(bench.holder)
        assert bench.claim_one().checkpoints == (("epoch2", 2), ("epoch1", 1))

    def test_a_child_goes_on_from_its_parents_checkpoint_until_it_has_its_own(
        self, bench: Bench
    ) -> None:
        bench.plan("a", seeds=(0, 1))
        parents = {claim.seed: claim for claim in _claim_all(bench)}
        bench.storage.record([_checkpoint(claim, 2) for claim in parents.values()])
        bench.propose("child")
        bench.add_runs("child", seeds=(1,), parent=(0, 2))
        bench.add_runs("child", seeds=(1,), parent=(0, 2))  # once more changes nothing
        child = bench.claim_one()
        assert (child.parent, child.checkpoints) == (parents[1].run, (("epoch2", 2),))
        assert child.epochs_left == 1
        bench.storage.record([_checkpoint(child, 3)])
        bench.storage.take_back_run(child.run, child.token, "WorkerLost", "")
        again = bench.claim_one()
        assert again.checkpoints == (("epoch3", 3), ("epoch2", 2))
        files = bench.storage.checkpoint_files(bench.study.id)
        assert [file.run for file in files].count(child.run) == 2

    def test_a_child_of_a_parent_without_a_file_has_none(self, bench: Bench) -> None:
        bench.plan("a")
        bench.claim_one()
        bench.propose("child")
        bench.add_runs("child", parent=(0, 2))
        assert (bench.claim_one().checkpoints, bench.outcomes()[1].until_epoch) == ((), 3)


def _checkpoint(claim: Claim, number: int) -> CheckpointRecord:
    return CheckpointRecord(
        run=claim.run,
        token=claim.token,
        epoch=number,
        path=f"epoch{number}",
        size_bytes=10,
        spent=Spent(checkpoint_s=0.1),
    )


def _claim_all(bench: Bench) -> list[Claim]:
    """Everything that waits, one run a claim."""
    claims: list[Claim] = []
    while found := bench.claim():
        claims += found
    return claims


def _claim_as(bench: Bench, who: Holder) -> Claim:
    (claim,) = bench.storage.claim(
        bench.study.id,
        holder_id=bench.storage.register_holder(who),
        worker_id=bench.worker_id,
        n=1,
        lease_s=60,
    ).claims
    return claim


class TestLeasingOnMemory(LeasingPromises, OnMemory):
    pass


class TestLeasingOnPostgres(LeasingPromises, OnPostgres):
    pass
