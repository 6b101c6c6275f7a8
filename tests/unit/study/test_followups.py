"""Follow-ups: what is planned and refused, and that no kill between parent and child loses runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from storage import Reader, RunState, Storage
from storage.records import Claim, NetworkFile, NetworkRecord, Spent
from study.drivers.protocol import FromWorker
from study.errors import BadSpec, NotAnExtension
from study.planning.extension import check_extension
from study.planning.followups import corruptions_of
from study.planning.keys import plan_key
from study.planning.plan import Plan
from study.running.packing import job_of
from study.running.trained import Retraining, trained_network
from tests.unit.study.fake_trainer import FakeStudy
from tests.unit.study.specs import a_plan, spec_of, stored
from trainers.cards import ProblemCard
from trainers.events import Ready
from trainers.jobs import Corruptions, Pack, ProblemRef
from trainers.problems import card_of
from trainers.problems.corruptions import KINDS, MOVING

FOLLOWUP = {"from": "winners", "kinds": ["fog", "contrast"], "severities": [1, 5], "epochs": 2}
NUMBERS = {"left": {"error_rate": 0.5}, "right": {"error_rate": 0.5}, "sum": {"mae": 1.0}}
TWO = [
    {"weighting": "ew", "stages": [{"lr": [0.001, 0.01]}]},
    {"weighting": "uw", "stages": [{"lr": [0.001, 0.01]}]},
]


def planned(*searches: dict[str, Any], **keys: Any) -> Plan:
    training = {"epochs": 2, "batch_size": 8}
    return a_plan(*searches, **{"training": training, "followup": [FOLLOWUP], **keys})


def refusal(**keys: Any) -> str:
    with pytest.raises(BadSpec) as refused:
        planned(**keys)
    return str(refused.value)


def changed(**keys: Any) -> str:
    return refusal(followup=[FOLLOWUP | keys])


def test_each_search_is_followed_up_the_single_task_ones_included() -> None:
    plan = planned(*TWO)
    of = {search.name: search for search in plan.searches if search.followup}
    assert [*of] == [
        f"corruptions/{name}" for name in ("stl/left", "stl/right", "stl/sum", "ew", "uw")
    ]
    assert of["corruptions/uw"].init_from == "uw"
    assert of["corruptions/stl/left"].tasks == ("left",)
    rates = [[*search.stages[0].axes_of("lr")[0].points()] for search in of.values()]
    assert rates == [[0.001, 0.01]] * 5


def test_dense_tasks_are_spared_what_moves_pixels_and_it_is_said() -> None:
    plan = planned(problem="motorcycle", followup=[{"from": "winners", "epochs": 2}])
    (followup,) = (s.followup for s in plan.searches if s.name == "corruptions/ew")
    assert followup is not None
    assert set(followup.corruptions.kinds) == {*KINDS} - {*MOVING}
    assert any("glass_blur, zoom_blur, elastic_transform are left out" in n for n in plan.notices)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (
            {"kinds": ["foq"]},
            "`kinds` must name kinds of corruption. Got 'foq'. Did you mean `fog`?",
        ),
        ({"kinds": ["fog", "fog"]}, "must not repeat a kind"),
        ({"kinds": []}, "must not be empty"),
        ({"severities": [0]}, "a whole number from 1 to 5. Got 0"),
        ({"severities": [6]}, "a whole number from 1 to 5. Got 6"),
        ({"severities": [1.5]}, "must be a whole number"),
        ({"severities": [1, 1]}, "must not repeat a value"),
        ({"from": "losers"}, "[[followup]] 1, `from` must be 'winners'. Got 'losers'"),
        ({"epochs": 0}, "must be above 0"),
        ({"lr": [0.0]}, "must be above 0"),
        ({"name": "a/b"}, "must be letters, digits"),
        ({"name": "stl"}, "[[followup]] 1, `name` must not be `stl`: `stl/TASK` are the single-"),
        ({"kind": ["fog"]}, "Unknown key `kind` in [[followup]] 1. Did you mean `kinds`?"),
    ],
)
def test_keys_that_make_no_sense_are_refused(keys: dict[str, Any], told: str) -> None:
    assert told in changed(**keys)


def test_what_is_missing_is_named() -> None:
    said = refusal(followup=[{"epochs": 2}])
    assert "[[followup]] 1, `from` is missing. Add it" in said


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"keep": {"networks": "none"}}, '`networks = "none"`. Drop one of them'),
        ({"baseline": {"metrics": NUMBERS}}, "Got imported numbers in [baseline]"),
        ({"objective": "sum.mae"}, "Got no [baseline]"),
        ({"followup": [FOLLOWUP, FOLLOWUP]}, "Got corruptions more than once"),
        ({"problem": "yeast"}, "Got yeast, which has none"),
        (
            {"problem": "motorcycle", "followup": [FOLLOWUP | {"kinds": ["fog", "zoom_blur"]}]},
            "Got zoom_blur on motorcycle",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(keys: dict[str, Any], told: str) -> None:
    assert told in refusal(**keys)


@pytest.mark.parametrize(("kinds", "room"), [(["fog"], 94), (["fog", "jpeg_compression"], 81)])
def test_a_metric_leaves_room_for_the_kinds_behind_its_name(kinds: list[str], room: int) -> None:
    (part,) = spec_of(followup=[FOLLOWUP | {"kinds": kinds}]).followup
    card = card_of(ProblemRef(target="digits"))

    def named(letters: int) -> ProblemCard:
        metric = replace(card.tasks[0].metrics[0], name="m" * letters)
        return replace(card, tasks=(replace(card.tasks[0], metrics=(metric,)),))

    assert corruptions_of(part, named(room)).kinds == tuple(kinds)
    with pytest.raises(BadSpec, match=f"may have {room} characters here. Got {room + 1} of m"):
        corruptions_of(part, named(room + 1))


def test_a_missing_package_is_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("study.planning.followups.is_installed", lambda: False)
    assert 'pip install "weighbridge[corruptions]"' in refusal()


def test_a_follow_up_is_written_as_it_is_read() -> None:
    spec = spec_of(followup=[FOLLOWUP])
    assert spec.to_plain()["followup"][0]["from"] == "winners"
    assert spec_of(followup=spec.to_plain()["followup"]) == spec
    assert plan_key(spec, "f") != plan_key(spec_of(), "f")


def test_a_stored_follow_up_may_get_rates_and_nothing_else() -> None:
    plan = planned()
    record = stored(plan, Storage(None))

    def check(*followups: dict[str, Any]) -> None:
        spec = planned(followup=[*followups]).spec
        check_extension(record, spec, plan.stored_card)

    check(FOLLOWUP | {"lr": [0.1]}, FOLLOWUP | {"name": "more", "kinds": ["snow"]})
    for change, told in (
        ({"kinds": ["fog"]}, "followup corruptions: kinds stored ['fog', 'contrast'], now ['fog']"),
        ({"epochs": 3}, "followup corruptions: epochs stored 2, now 3"),
        ({"name": "other"}, "followup corruptions was removed"),
    ):
        with pytest.raises(NotAnExtension) as refused:
            check(FOLLOWUP | change)
        assert told in str(refused.value)


class Kept(FakeStudy):
    """A study whose runs keep a network of each epoch."""

    def end(self, claim: Claim) -> None:
        if claim.role in ("baseline", "search"):
            files = [
                NetworkFile(
                    epoch=epoch, path=f"{claim.run}-{epoch}.pt", size_bytes=1, sha256="1" * 64
                )
                for epoch in (1, 2)
            ]
            self.storage.record(
                [NetworkRecord(run=claim.run, token=claim.token, files=files, spent=Spent())]
            )
        super().end(claim)

    def outcomes(self) -> Any:
        return {search.name: self.history(search.name) for search in self.plan.searches}


def worse_at_001(claim: Claim, point: Mapping[str, Any]) -> float:
    return 1.0 + point["lr"] + 0.01 * claim.seed


def test_runs_begin_from_the_run_of_their_seed_of_the_best_trial() -> None:
    study = Kept(planned(*TWO), level=worse_at_001)
    begun: dict[tuple[str, int], set[str]] = {}
    keys: dict[str, Claim] = {}
    end = study.end

    def seen(claim: Claim) -> None:
        if claim.initial is not None:
            begun.setdefault((claim.search, claim.seed), set()).add(claim.initial.run_key)
        keys[claim.key] = claim
        end(claim)

    study.end = seen  # type: ignore[method-assign]
    study.run()
    assert study.conductor.finished
    for (search, seed), parents in begun.items():
        (parent,) = (keys[key] for key in parents)
        assert parent.search == search.removeprefix("corruptions/")
        assert parent.seed == seed
        assert json.loads(parent.params)["lr"] == 0.001
    assert len(begun) == 5 * 2


def test_a_driver_killed_at_any_moment_loses_nothing() -> None:
    """Each run is ended by a driver that knows nothing but the database."""
    plan = planned(seeds=[0], tasks=["left", "right"])
    straight = Kept(plan).run()
    study, n_drivers = Kept(plan), 0
    while True:
        study = Kept(study.plan, study.storage)
        study.conductor.move()
        claims = study.claim(n=1)
        if not claims:
            break
        study.end(claims[0])
        n_drivers += 1
    assert study.conductor.finished
    assert n_drivers == 3 * 2 + 3 * 2, "each run is trained once, parents and follow-ups"
    assert study.outcomes() == straight.outcomes()


def test_networks_that_were_not_kept_stop_a_follow_up_with_the_way_out() -> None:
    study = FakeStudy(planned()).run()
    assert study.conductor.finished
    said = study.conductor.stopped["corruptions/ew"]
    assert "the network of search ew on seed" in said
    assert "--retrain" in said


def test_added_seeds_are_followed_up_and_what_is_there_is_not_trained_again() -> None:
    storage = Storage(None)
    Kept(planned(), storage, level=worse_at_001).run()
    study = Kept(planned(seeds=[0, 1, 2]), storage, level=worse_at_001)
    seeds: list[tuple[str, int]] = []
    while True:
        study.conductor.move()
        claims = study.claim(n=1)
        if not claims:
            break
        seeds += [(claim.role, claim.seed) for claim in claims]
        study.end(claims[0])
    assert study.conductor.finished
    assert {*seeds} == {(role, 2) for role in ("baseline", "search", "followup")}


def test_another_best_trial_is_followed_up_instead() -> None:
    storage = Storage(None)
    Kept(planned(), storage, level=worse_at_001).run()
    better = {"weighting": "ew", "stages": [{"lr": [0.0001, 0.001, 0.01]}]}
    study = Kept(planned(better), storage, level=worse_at_001).run()
    entries, *_ = study.history("corruptions/ew")
    assert {json.loads(entry.params)["parent"] for entry in entries} == {2}
    ids = {of.name: of for of in storage.searches(study.record.id)}
    initial = ids["corruptions/ew"].initial
    assert initial is not None and initial.trial == 2


def test_heads_are_trained_by_equal_weights_and_their_own_epochs() -> None:
    plan = planned({"weighting": "pcgrad", "stages": [{"lr": [0.01]}]})
    search = next(s for s in plan.searches if s.name == "corruptions/pcgrad")
    params = '{"lr":0.01,"parent":0,"weight_decay":0.0}'
    claim = Claim(
        run=1,
        token=1,
        attempt=1,
        key="k",
        search=search.name,
        role="followup",
        weighting="pcgrad",
        params=params,
        written=params,
        seed=0,
        until_epoch=2,
        checkpoints=(),
    )
    job = job_of(plan, search, claim)
    assert (job.weighting, job.hyper, job.select_by) == ("ew", {}, None)
    assert search.epochs_of(plan.training) == 2


class Asked(Exception):
    """A worker was told what to train."""

    def __init__(self, pack: Pack) -> None:
        super().__init__()
        self.pack = pack


class Asking:
    """A driver whose worker tells what it is given."""

    def start(self) -> None: ...

    def close(self) -> None: ...

    def poll(self, _timeout_s: float) -> list[FromWorker]:
        return [FromWorker(1, Ready(startup_s=0.0, environment={}, network=None))]

    def submit(self, _worker: int, pack: Pack) -> None:
        raise Asked(pack)


def test_what_is_trained_again_sees_corrupted_images_too(tmp_path: Path) -> None:
    plan, url = planned(followup=[FOLLOWUP | {"epochs": 1}]), f"sqlite:///{tmp_path / 's.db'}"
    Kept(plan, Storage(url)).run()
    again = Retraining(driver=Asking, device="cpu")  # type: ignore[arg-type]
    with pytest.raises(Asked) as asked:
        trained_network(plan, Reader(url), "tried", search="corruptions/ew", again=again)
    pack = asked.value.pack
    assert pack.corruptions == Corruptions(kinds=("fog", "contrast"), severities=(1, 5))
    assert (pack.training.epochs, pack.until_epoch) == (1, 1)


def test_trials_of_follow_ups_count_in_no_budget_of_trials() -> None:
    study = Kept(planned(budget={"trials": 2})).run()
    assert study.conductor.finished and not study.conductor.stopped
    totals = study.storage.totals(study.record.id)
    assert totals.trials == 2
    assert totals.states == {RunState.DONE: 4 * 2 * 2 * 2}


def test_cards_say_which_problems_have_images() -> None:
    found = {name: card_of(ProblemRef(target=name)).images for name in ("multimnist", "yeast")}
    assert found == {"multimnist": "labelled", "yeast": "none"}
