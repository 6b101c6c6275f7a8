"""Promises of `Storage` about commands to studies under way, and of what is written of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from storage import Liveness, RunState, Storage
from storage.errors import BudgetRefused, StudyChanged
from storage.limits import Limit, Limits
from storage.records import Actor, AuditEntry, StudyRecord
from tests.contract.storage_backends import Backend, OnFile, OnMemory, OnPostgres
from tests.contract.storage_bench import SEARCHES, Bench, baseline, claimed, decision, end

ANN = Actor(who="ann@desk", origin="dashboard, from 192.0.2.7")


def _spec(seeds: int = 1, budget: Mapping[str, Any] | None = None, **of_search: Any) -> Any:
    return {
        "seeds": [*range(seeds)],
        "budget": {"epochs": 100, "device_s": 60.0, "money": None, **(budget or {})},
        "search": [
            {"weighting": ["ew", "uw"], "budget": {"epochs": 10, **of_search}},
            {"weighting": "rlw", "name": "own"},
        ],
    }


def _save(bench: Bench, spec: Mapping[str, Any], **more: Any) -> StudyRecord:
    return bench.storage.save_study(
        name="demo", spec=spec, card={}, fingerprint="f", searches=SEARCHES, **more
    )


def _said(entry: AuditEntry) -> tuple[str, Mapping[str, Any], Mapping[str, Any]]:
    return entry.verb, entry.before, entry.after


_REFUSED: list[tuple[dict[str, Any], str | None, str]] = [
    ({}, None, "Nothing is to be raised. Name a limit: trials, epochs"),
    ({"epoch": 1}, None, "no limit 'epoch'. Limits are: trials, epochs, device_s"),
    ({"epochs": 100}, None, "Got epochs=100; it is 100. .*`--budget epochs=100`"),
    ({"device_s": 30}, None, "Got device_s=30; it is 60"),
    ({"money": 3.0}, None, "`money` has no limit"),
    ({"epochs": 200.5}, None, "`epochs` is a whole number above 0. Got 200.5"),
    ({"epochs": True}, None, "Got True"),
    ({"device_s": float("nan")}, None, "a number above 0. Got nan"),
    ({"device_s": 1e13}, None, "Got 10000000000000.0"),
    ({"device_s": "99"}, None, "Got '99'"),
    ({"epochs": 5}, "ew", "Got epochs=5; it is 10.$"),
    ({"wall_s": 5.0}, "ew", "There is no limit 'wall_s'"),
    ({"epochs": 5}, "own", "`epochs` has no limit"),
    ({"epochs": 5}, "stl/a", "no search 'stl/a' to raise budgets of. It has: ew, uw, own"),
]


class SteeringPromises(Backend):
    @pytest.fixture
    def bench(self, url: str | None) -> Iterator[Bench]:
        bench = Bench(url)
        bench.storage._actor = ANN
        yield bench
        bench.storage.close()

    def test_a_paused_study_hands_out_nothing_until_it_is_resumed(self, bench: Bench) -> None:
        bench.plan("a", "b")
        study, limits = bench.study.id, Limits(searches={bench.search("stl/a"): Limit(epochs=1)})
        held = bench.claim_one()
        assert bench.storage.pause(study)
        assert not bench.storage.pause(study)
        assert bench.storage.orders(study).paused
        assert bench.claim() == []
        assert bench.claimed(limits=limits).claims == []
        assert bench.claimed(run=held.run + 1).claims == []
        bench.storage.record([end(held, RunState.WAITING)])  # what it had is taken back
        assert bench.claim() == []
        assert bench.storage.resume(study)
        assert not bench.storage.resume(study)
        assert len(bench.claim(2)) == 2
        assert [_said(entry) for entry in bench.storage.audit("demo")] == [
            ("pause", {"paused": False}, {"paused": True}),
            ("resume", {"paused": True}, {"paused": False}),
        ]

    def test_every_order_has_a_number_and_stops_are_counted(self, bench: Bench) -> None:
        study = bench.study.id
        numbers = [bench.storage.orders(study)]
        for command in (bench.storage.pause, bench.storage.resume, bench.storage.stop):
            command(study)
            numbers.append(bench.storage.orders(study))
        assert [one.number - numbers[0].number for one in numbers] == [0, 1, 2, 3]
        assert [one.stops for one in numbers] == [0, 0, 0, 1]
        assert bench.storage.stored(study).stops == 1

    def test_an_entry_says_who_from_where_and_of_which_study(self, bench: Bench) -> None:
        bench.storage.stop(bench.study.id)
        (entry,) = bench.storage.audit()
        assert (entry.who, entry.origin) == (ANN.who, ANN.origin)
        assert (entry.study, entry.birth) == ("demo", bench.study.birth)
        assert entry.made_at.tzinfo is not None

    def test_a_budget_is_raised_for_the_study_or_a_section_of_it(self, bench: Bench) -> None:
        study = _save(bench, _spec())
        before = bench.storage.orders(study.id).number
        assert bench.storage.raise_budget(study.id, {"epochs": 200}).spec["budget"]["epochs"] == 200
        raised = bench.storage.raise_budget(study.id, {"epochs": 20}, search="uw")
        assert raised.spec["search"][0]["budget"] == {"epochs": 20}
        assert raised.raised == {"": {"epochs": 200}, "ew": {"epochs": 20}, "uw": {"epochs": 20}}
        assert bench.storage.orders(study.id).number == before + 2
        assert [_said(entry) for entry in bench.storage.audit("demo")[-2:]] == [
            ("raise budget", {"budget": {"epochs": 100}}, {"budget": {"epochs": 200}}),
            (
                "raise budget",
                {"search": "uw", "budget": {"epochs": 10}},
                {"search": "uw", "budget": {"epochs": 20}},
            ),
        ]

    def test_what_raises_nothing_is_refused(self, bench: Bench) -> None:
        study = _save(bench, _spec())
        entries = bench.storage.audit()
        for limits, search, said in _REFUSED:
            with pytest.raises(BudgetRefused, match=said):
                bench.storage.raise_budget(study.id, limits, search=search)
        assert bench.storage.study("demo") == study
        assert bench.storage.audit() == entries

    def test_a_file_that_says_less_does_not_lower_what_was_raised(self, bench: Bench) -> None:
        study = _save(bench, _spec())
        bench.storage.raise_budget(study.id, {"epochs": 200, "device_s": 90.0})
        bench.storage.raise_budget(study.id, {"epochs": 20}, search="ew")
        kept = _save(bench, _spec(seeds=2))
        budget = kept.spec["budget"]
        assert (budget["epochs"], budget["device_s"], budget["money"]) == (200, 90.0, None)
        assert kept.spec["search"][0]["budget"] == {"epochs": 20}
        caught_up = _save(bench, _spec(seeds=2, budget={"device_s": 100.0}, epochs=None))
        assert caught_up.raised == {"": {"epochs": 200}}
        assert caught_up.spec["search"][0]["budget"] == {"epochs": None}
        lowered = _save(bench, _spec(seeds=2), lowered={"epochs"})
        assert (lowered.spec["budget"]["epochs"], lowered.raised) == (100, {})
        _save(bench, _spec(seeds=2, budget={"epochs": 70}), lowered={"epochs"})
        assert _said(bench.storage.audit()[-1]) == (
            "set budget",
            {"budget": {"epochs": 100}},
            {"budget": {"epochs": 70}},
        )

    def test_drivers_follow_a_spec_that_was_extended(self, bench: Bench) -> None:
        study = _save(bench, _spec())
        before = bench.storage.orders(study.id).number
        _save(bench, _spec())
        assert bench.storage.orders(study.id).number == before
        _save(bench, {**_spec(seeds=2), "notify": {"url": "https://secret"}})
        assert bench.storage.orders(study.id).number == before + 1
        entry = bench.storage.audit()[-1]
        assert _said(entry) == (
            "extend",
            {"seeds": [0], "notify": None},
            {"seeds": [0, 1], "notify": "not kept here"},
        )

    def test_every_other_command_is_written_down(self, bench: Bench) -> None:
        storage, study = bench.storage, bench.study.id
        storage.retry(study, "failed")  # nothing to retry: nothing is changed
        storage.record([end(claimed(bench), RunState.FAILED)])
        storage.retry(study, "failed")
        storage.set_baseline(study, baseline())
        storage.decide(bench.search(), decision(0, "a"))
        storage.reopen_decisions(study)
        sealed = storage.save_study(
            name="sealed", spec={}, card={}, fingerprint="f", searches=SEARCHES, sealed=True
        )
        storage.unseal(sealed.id)
        storage.unseal(sealed.id)
        storage.rename_study(study, "new", liveness=lambda _: Liveness.DEAD)
        storage.delete_study(study, liveness=lambda _: Liveness.DEAD)
        assert [_said(entry) for entry in storage.audit()] == [
            ("retry", {"failed": 1, "which": "failed"}, {"waiting": 1}),
            ("redecide", {"decisions in force": 1}, {"decisions in force": 0}),
            ("unseal", {"sealed": True}, {"sealed": False}),
            ("rename", {"name": "demo"}, {"name": "new"}),
            ("delete", {"runs": 1}, {}),
        ]

    def test_the_audit_of_a_study_is_found_under_all_its_names(self, bench: Bench) -> None:
        storage, study = bench.storage, bench.study.id
        storage.stop(study)
        storage.rename_study(study, "new", liveness=lambda _: Liveness.DEAD)
        storage.stop(bench.save("other").id)
        verbs = ["stop", "rename"]
        assert [entry.verb for entry in storage.audit("new")] == verbs
        storage.delete_study(study, liveness=lambda _: Liveness.DEAD)
        for name in ("demo", "new"):
            assert [entry.verb for entry in storage.audit(name)] == [*verbs, "delete"]
        assert [entry.verb for entry in storage.audit(limit=2)] == ["stop", "delete"]
        assert storage.audit("nobody") == []

    def test_nobody_steers_a_study_that_is_gone(self, bench: Bench) -> None:
        storage, study = bench.storage, bench.study.id
        storage.delete_study(study, liveness=lambda _: Liveness.DEAD)
        entries = storage.audit()
        for verb in ("pause", "resume", "stop", "orders", "stored"):
            with pytest.raises(StudyChanged, match="was deleted"):
                getattr(storage, verb)(study)
        with pytest.raises(StudyChanged, match="was deleted"):
            storage.raise_budget(study, {"epochs": 9})
        assert storage.audit() == entries


class TestSteeringInMemory(SteeringPromises, OnMemory):
    def test_by_default_it_is_the_user_of_the_process(self) -> None:
        storage = Storage(None)
        assert "@" in storage._actor.who
        assert "process" in storage._actor.origin
        storage.close()


class TestSteeringOnFile(SteeringPromises, OnFile):
    pass


class TestSteeringOnPostgres(SteeringPromises, OnPostgres):
    pass
