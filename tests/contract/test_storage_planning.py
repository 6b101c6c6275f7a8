"""Promises of `Storage` about what is to be done: studies, searches, points and runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from storage import RunState, StudyChanged, UnknownStudy
from storage.planning.opened import SPEC_DEFAULTS
from storage.records import Calibration, NetworkLook, Proposal
from tests.contract.storage_backends import Backend, OnMemory, OnPostgres
from tests.contract.storage_bench import SEARCHES, Bench, baseline, decision


class PlanningPromises(Backend):
    def test_a_study_is_found_as_it_was_saved(self, bench: Bench) -> None:
        spec = {"seeds": [1, 2], "note": "µ"}
        saved = bench.storage.save_study(
            name="other",
            spec=spec,
            card={"tasks": ["a"]},
            fingerprint="abc",
            searches=SEARCHES,
        )
        found = bench.storage.find_study("other")
        assert found == saved
        assert found.spec == {**SPEC_DEFAULTS, **spec}  # which a spec may be too old to have
        assert found.card == {"tasks": ["a"]}
        assert found.fingerprint == "abc"

    def test_a_study_knows_when_it_was_made_with_its_zone(self, bench: Bench) -> None:
        assert bench.study.created_at.tzinfo is UTC
        assert bench.study.created_at <= datetime.now(UTC)

    def test_an_unknown_study_is_not_found(self, bench: Bench) -> None:
        assert bench.storage.find_study("nope") is None

    def test_asking_for_an_unknown_study_names_the_known_ones(self, bench: Bench) -> None:
        with pytest.raises(UnknownStudy, match=r"no study 'nope' .* It holds: demo\."):
            bench.storage.study("nope")

    def test_studies_are_listed_oldest_first(self, bench: Bench) -> None:
        bench.save("a later one")
        bench.save("demo")
        assert [study.name for study in bench.storage.studies()] == ["demo", "a later one"]

    def test_saving_again_extends_the_study_and_keeps_its_date(self, bench: Bench) -> None:
        again = bench.storage.save_study(
            name="demo", spec={"seeds": [0, 1]}, card={}, fingerprint="g", searches=SEARCHES
        )
        assert (again.id, again.created_at) == (bench.study.id, bench.study.created_at)
        assert (again.spec["seeds"], again.fingerprint) == ([0, 1], "g")

    def test_what_was_planned_by_an_earlier_spec_is_refused(self, bench: Bench) -> None:
        bench.propose("a")
        search, study = bench.search(), bench.study.id
        bench.storage.save_study(
            name="demo", spec={}, card={}, fingerprint="f", searches=SEARCHES, plan="later"
        )
        new = [Proposal(params="b", written="b", round=0)]
        of_plan = {
            "propose": lambda plan: bench.storage.propose(
                search, stage=0, kind="grid", tuned="", new=new, retired=["a"], plan=plan
            ),
            "decide": lambda plan: bench.storage.decide(search, decision(0, "a"), plan=plan),
            "set_baseline": lambda plan: bench.storage.set_baseline(study, baseline(), plan=plan),
        }
        for write in of_plan.values():
            with pytest.raises(StudyChanged, match="'demo' was extended by another command"):
                write("earlier")
        assert [entry.params for entry in bench.storage.history(search).entries] == ["a"]
        assert bench.storage.history(search).decisions == ()
        assert bench.storage.baseline(study) is None
        for write in of_plan.values():
            write("later")
        assert [entry.params for entry in bench.storage.history(search).entries] == ["b"]

    def test_searches_are_in_the_order_of_the_spec(self, bench: Bench) -> None:
        names = [search.name for search in bench.storage.searches(bench.study.id)]
        assert names == ["stl/a", "stl/b", "ew"]

    def test_a_new_search_takes_its_place_and_the_others_keep_their_ids(self, bench: Bench) -> None:
        before = {search.name: search.id for search in bench.storage.searches(bench.study.id)}
        bench.save(searches=[("uw", "search", "uw"), *SEARCHES])
        after = bench.storage.searches(bench.study.id)
        assert [search.name for search in after] == ["uw", "stl/a", "stl/b", "ew"]
        assert {s.name: s.id for s in after if s.name != "uw"} == before

    def test_points_are_read_as_they_were_written(self, bench: Bench) -> None:
        key, written = '{"hidden":[8.0,16.0]}', '{"hidden":[8,16]}'
        bench.storage.propose(
            bench.search(),
            stage=0,
            kind="grid",
            tuned="hidden",
            new=[Proposal(params=key, written=written, round=0)],
            retired=(),
        )
        bench.add_runs(key)
        (entry,) = bench.storage.history(bench.search()).entries
        assert (entry.params, entry.written) == (key, written)
        claim = bench.claim_one()
        assert (claim.params, claim.written) == (key, written)
        (row,) = bench.view("run_results")
        assert row["params"] == written

    def test_searches_of_one_study_are_not_those_of_another(self, bench: Bench) -> None:
        other = bench.save("other", [("ew", "search", "ew")])
        (search,) = bench.storage.searches(other.id)
        assert search.id != bench.search("ew")

    def test_trials_are_numbered_densely_in_the_order_of_proposal(self, bench: Bench) -> None:
        bench.propose("c", "a")
        bench.propose("b", "a")
        assert _entries(bench) == [(0, 0, "c"), (0, 1, "a"), (0, 2, "b")]

    def test_proposing_twice_changes_nothing(self, bench: Bench) -> None:
        bench.propose("a", "b")
        before = bench.storage.history(bench.search())
        bench.propose("a", "b")
        assert bench.storage.history(bench.search()) == before

    def test_a_later_round_follows_in_the_same_stage(self, bench: Bench) -> None:
        bench.propose("a")
        bench.propose("b", number=1)
        entries = bench.storage.history(bench.search()).entries
        assert [(entry.round, entry.params) for entry in entries] == [(0, "a"), (1, "b")]

    def test_a_retired_point_no_longer_stands(self, bench: Bench) -> None:
        bench.propose("a", "b")
        bench.propose(retired=["a"])
        assert _entries(bench) == [(0, 1, "b")]

    def test_a_retired_point_comes_back_to_its_place(self, bench: Bench) -> None:
        bench.propose("a", "b")
        bench.propose(retired=["a"])
        bench.propose("a", "c")
        assert _entries(bench) == [(0, 0, "a"), (0, 1, "b"), (0, 2, "c")]

    def test_retiring_what_nobody_proposed_changes_nothing(self, bench: Bench) -> None:
        bench.propose("a", retired=["never"])
        assert _entries(bench) == [(0, 0, "a")]

    def test_a_retired_point_still_stands_in_the_other_stage(self, bench: Bench) -> None:
        bench.propose("a")
        bench.propose("a", stage=1)
        bench.propose(stage=1, retired=["a"])
        assert _entries(bench) == [(0, 0, "a")]

    def test_a_point_of_two_stages_is_one_trial(self, bench: Bench) -> None:
        bench.propose("a", "b")
        bench.propose("b", "c", stage=1)
        assert _entries(bench) == [(0, 0, "a"), (0, 1, "b"), (1, 1, "b"), (1, 2, "c")]

    def test_the_same_point_of_two_searches_is_two_trials(self, bench: Bench) -> None:
        bench.plan("a", search="stl/a")
        bench.plan("a", search="ew")
        assert bench.outcomes("stl/a")[0].run != bench.outcomes("ew")[0].run

    def test_runs_begin_by_waiting(self, bench: Bench) -> None:
        bench.plan("a", seeds=(3,))
        (run,) = bench.outcomes()
        assert (run.state, run.seed, run.params, run.role) == (RunState.WAITING, 3, "a", "search")
        assert (run.value, run.grad_evals) == (None, 0)

    def test_adding_runs_twice_changes_nothing(self, bench: Bench) -> None:
        bench.plan("a", "b", seeds=(0, 1))
        bench.train(bench.claim_one(), (0.1, 0.1))
        before = bench.outcomes()
        bench.add_runs("a", "b", seeds=(0, 1))
        assert bench.outcomes() == before

    def test_seeds_are_added_beside_those_that_are_there(self, bench: Bench) -> None:
        bench.plan("a", seeds=(0,))
        bench.add_runs("a", seeds=(0, 1))
        assert [run.seed for run in bench.outcomes()] == [0, 1]

    def test_outcomes_are_in_order_of_trial_and_seed(self, bench: Bench) -> None:
        bench.propose("b", "a")
        bench.add_runs("a", "b", seeds=(1, 0))
        assert [(run.params, run.seed) for run in bench.outcomes()] == [
            ("b", 0), ("b", 1), ("a", 0), ("a", 1)
        ]  # fmt: skip

    def test_thousands_of_points_fit_in_one_stage(self, bench: Bench) -> None:
        points = [str(number) for number in range(3000)]
        bench.plan(*points)
        bench.add_runs(*points)
        assert bench.storage.totals(bench.study.id).states == {RunState.WAITING: 3000}

    def test_a_search_is_busy_until_its_last_run_has_ended(self, bench: Bench) -> None:
        bench.plan("a", "b")
        bench.train(bench.claim_one(), (0.1, 0.1))
        assert bench.storage.busy_searches(bench.study.id) == {bench.search()}
        bench.train(bench.claim_one(), (0.1, 0.1))
        assert not bench.storage.busy_searches(bench.study.id)

    def test_runs_of_a_dropped_point_are_not_handed_out(self, bench: Bench) -> None:
        bench.plan("a", "b")
        bench.propose(retired=["a"])
        assert [claim.params for claim in bench.claim(9)] == ["b"]

    @pytest.mark.parametrize("stage", [0, 1])
    def test_runs_of_a_dropped_point_are_once_it_stands_again(
        self, bench: Bench, stage: int
    ) -> None:
        bench.plan("a", "b")
        bench.propose(retired=["a"])
        bench.propose("a", stage=stage)
        assert [claim.params for claim in bench.claim(9)] == ["a", "b"]


def _entries(bench: Bench) -> list[tuple[int, int, str]]:
    """(stage, trial, params) of all standing proposals."""
    entries = bench.storage.history(bench.search()).entries
    return [(entry.stage, entry.trial, entry.params) for entry in entries]


class CalibratingPromises(Backend):
    def test_the_first_to_fix_the_engine_of_a_search_decides(self, bench: Bench) -> None:
        assert _fixed(bench) == [(None, "", None)] * 3
        bench.storage.fix_engine([bench.search("ew")], "fused", "works in a stack")
        bench.storage.fix_engine([bench.search("ew")], "solo", "")
        unknown = (None, "", None)
        assert _fixed(bench) == [unknown, unknown, ("fused", "works in a stack", None)]

    def test_searches_that_share_packs_take_what_one_of_them_has(self, bench: Bench) -> None:
        old, new, alone = (bench.search(name) for name, _, _ in SEARCHES)
        bench.storage.fix_engine([old], "fused", "works in a stack")
        bench.storage.fix_rows([old], 8)
        bench.storage.fix_engine([new, old], "solo", "slower")
        bench.storage.fix_engine([alone], "solo", "is not stacked")
        in_stacks = ("fused", "works in a stack", 8)
        assert _fixed(bench) == [in_stacks, in_stacks, ("solo", "is not stacked", None)]

    def test_rows_of_stacks_are_fixed_once_and_may_be_lowered(self, bench: Bench) -> None:
        them = [bench.search("stl/a"), bench.search("ew")]
        bench.storage.fix_rows(them, 8)
        bench.storage.fix_rows(them, 16)
        assert [rows for _, _, rows in _fixed(bench)] == [8, None, 8]
        bench.storage.lower_rows(them, 4)
        bench.storage.lower_rows(them, 6)
        assert [rows for _, _, rows in _fixed(bench)] == [4, None, 4]

    def test_what_was_measured_is_found_by_shape_and_hardware(self, bench: Bench) -> None:
        _calibrate(bench, CALIBRATION, seconds=0.5)
        assert bench.storage.calibration("net", "a cpu") == CALIBRATION
        assert bench.storage.calibration("net", "a gpu") is None
        assert bench.storage.calibration("another net", "a cpu") is None

    def test_a_new_measurement_takes_the_place_of_the_old(self, bench: Bench) -> None:
        new = replace(CALIBRATION, pack_size=9)
        _calibrate(bench, CALIBRATION, seconds=0.5)
        _calibrate(bench, new, seconds=0.5)
        assert bench.storage.calibrations("net") == [new]

    def test_measuring_is_paid_and_belongs_to_no_run(self, bench: Bench) -> None:
        _calibrate(bench, CALIBRATION, seconds=0.5)
        (row,) = (row for row in bench.view("attempt_costs") if row["kind"] == "calibration")
        assert (row["run"], row["diagnostics_s"], row["device_s"]) == (None, 0.5, 0.5)

    def test_what_a_look_has_found_is_kept_by_its_key(self, bench: Bench) -> None:
        assert bench.storage.network_look(bench.study.id, "code") is None
        bench.storage.save_network_look(bench.study.id, "code", LOOK)
        assert bench.storage.network_look(bench.study.id, "code") == LOOK
        assert bench.storage.network_look(bench.study.id, "other code") is None
        assert bench.storage.network_look(bench.study.id + 1, "code") is None

    def test_a_new_look_takes_the_place_of_the_old(self, bench: Bench) -> None:
        new = replace(LOOK, obstacle="", streamed=False)
        bench.storage.save_network_look(bench.study.id, "code", LOOK)
        bench.storage.save_network_look(bench.study.id, "code", new)
        assert bench.storage.network_look(bench.study.id, "code") == new


LOOK = NetworkLook(convolutional=True, obstacle="is odd", streamed=True, unsaved="changes")
CALIBRATION = Calibration(
    shape="net", hardware="a cpu", pack_size=18, epoch_s=0.25, run_step_ms={1: 1.0, 18: 0.4}
)


def _fixed(bench: Bench) -> list[tuple[str | None, str, int | None]]:
    """Engine, reason and rows of each search."""
    found = bench.storage.searches(bench.study.id)
    return [(of.engine, of.engine_reason, of.stack_rows) for of in found]


def _calibrate(bench: Bench, *found: Calibration, seconds: float) -> None:
    bench.storage.save_calibrations(
        found, study_id=bench.study.id, worker_id=bench.worker_id, seconds=seconds
    )


class TestCalibratingOnMemory(CalibratingPromises, OnMemory):
    """On a database in memory."""


class TestCalibratingOnPostgres(CalibratingPromises, OnPostgres):
    """On a server."""


class TestPlanningOnMemory(PlanningPromises, OnMemory):
    pass


class TestPlanningOnPostgres(PlanningPromises, OnPostgres):
    pass
