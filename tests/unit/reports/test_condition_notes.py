"""Notes on what searches and runs did not share fire where they must, and not elsewhere."""

import json
from typing import Any

import pytest

from reports import compare, fair_play_notes, load
from reports.notes import fair_play
from storage.notices import STOPPED_ASYNCHRONOUSLY
from tests.unit.reports import synthetic
from tests.unit.reports.noted import RULES, drop_trials, notes_of, runs_of, sound


def test_a_sound_study_is_told_of_nothing_but_what_its_searches_are() -> None:
    """A grid over weights has more trials than a search of the learning rate, by its nature."""
    assert [note.kind for note in fair_play_notes(load(sound(), "x"))] == ["unequal effort"]


def test_all_rules_are_asked() -> None:
    assert {*fair_play._RULES} == {*RULES.values()}


def test_unequal_effort_is_told_by_the_number_of_trials() -> None:
    (note,) = notes_of(sound(), "unequal effort")
    assert "(4: EW, UW; 12: UW-SO; 42: Scalarization)" in note.text


def test_less_than_twice_the_trials_are_no_unequal_effort() -> None:
    made = sound()
    for search in ("uw-so", "scalarization"):
        keep = {row["trial"] for row in runs_of(made, search)} & set(range(7))
        made.rows["run_results"] = [
            row
            for row in made.rows["run_results"]
            if row["search"] != search or row["trial"] in keep
        ]
    assert notes_of(made, "unequal effort") == []


def test_an_imported_baseline() -> None:
    made = sound()
    for row in made.rows["baseline_metrics"]:
        row |= {"source": "imported", "trial": None} if row["task"] == "sum" else {}
    (note,) = notes_of(made, "baseline imported")
    assert "of sum were imported" in note.text


def test_a_superseded_import_is_not_noted() -> None:
    made = sound()
    made.rows["baseline_metrics"].append(
        made.rows["baseline_metrics"][0] | {"source": "imported", "standing": 0}
    )
    assert notes_of(made, "baseline imported") == []


def test_a_claim_is_told_and_that_a_seal_was_opened() -> None:
    made = sound()
    assert notes_of(made, "fixed beforehand") == []
    made.spec["compare"] |= {"claim": "UW wins", "sealed": True}
    (note,) = notes_of(made, "fixed beforehand")
    assert note.text.startswith("Claimed before the first run: UW wins. Test values were sealed")
    made.sealed = True
    (note,) = notes_of(made, "fixed beforehand")
    assert note.text == "Claimed before the first run: UW wins."


def test_unequal_learning_rate_grids() -> None:
    made = sound()
    drop_trials(made, "uw", lr=1e-2)
    (note,) = notes_of(made, "unequal grids")
    assert "UW: 0.0003, 0.001, 0.003;" in note.text


def test_sampled_learning_rates_are_no_unequal_grid() -> None:
    made = sound()
    drop_trials(made, "uw", lr=1e-2)
    for row in made.rows["stage_trials"]:
        row["kind"] = "random" if row["search"] == "uw" else row["kind"]
    assert notes_of(made, "unequal grids") == []


def test_refined_learning_rates_are_no_unequal_grid() -> None:
    made = sound()
    drop_trials(made, "uw", lr=1e-2)
    for row in runs_of(made, "ew"):
        if json.loads(row["params"])["lr"] == 1e-2:
            refined = row["trial"]
    for row in made.rows["stage_trials"]:
        if row["search"] in ("uw-so", "scalarization"):
            row["kind"] = "tpe"
        if row["search"] == "ew" and row["trial"] == refined:
            row["round"] = 1
    assert notes_of(made, "unequal grids") == []


def test_a_head_start_is_told_of_whom_it_helps() -> None:
    made = sound()
    made.spec["search"] = [
        {"weighting": "ew"},
        {"weighting": ["uw", "uw-so"], "init_from": "ew"},
        {"weighting": "scalarization", "name": "gone", "init_from": "stl/b"},
    ]
    notes = notes_of(made, "head start")
    assert [(note.search, note.about) for note in notes] == [("uw", "UW"), ("uw-so", "UW-SO")]
    assert all("from the best network of ew, whose training" in note.text for note in notes)


def test_unequal_seeds() -> None:
    made = sound()
    rows = made.rows["run_results"]
    made.rows["run_results"] = [r for r in rows if (r["search"], r["seed"]) != ("uw", 3)]
    (note,) = notes_of(made, "unequal seeds")
    assert "uw: 1, 2;" in note.text


def test_seeds_that_confirm_are_no_unequal_seeds() -> None:
    assert notes_of(synthetic.reader(epochs=6, confirm=(11, 12)), "unequal seeds") == []


@pytest.mark.parametrize(["seeds", "fires"], [((1, 2), True), ((1, 2, 3), False)])
def test_few_seeds(seeds: tuple[int, ...], fires: bool) -> None:
    assert bool(notes_of(synthetic.reader(epochs=6, seeds=seeds), "few seeds")) == fires


@pytest.mark.parametrize(
    ["column", "kind"],
    [
        ("device", "mixed devices"),
        ("hardware", "mixed hardware"),
        ("code_version", "mixed code versions"),
    ],
)
def test_mixed_conditions(column: str, kind: str) -> None:
    made = sound()
    made.rows["attempt_costs"][-1][column] = "another"
    (note,) = notes_of(made, kind)
    assert "another" in note.text


def test_versions_of_the_users_own_code_are_told_in_their_order() -> None:
    made = sound()
    searches = {row["run"]: row["search"] for row in made.rows["run_results"]}
    for row in made.rows["attempt_costs"]:
        uw = searches.get(row["run"]) == "uw"
        row |= {"epochs": 1, "code_fingerprint": "beef" * 16 if uw else "cafe" * 16}
    (note,) = notes_of(made, "mixed user code")
    assert "2 versions of your own code" in note.text
    assert "beefbeef" in note.text
    assert note.text.index("cafecafe") < note.text.index("(UW)")


@pytest.mark.parametrize("other", [None, "cafe"])
def test_an_attempt_of_unknown_code_or_without_an_epoch_is_no_mix(other: str | None) -> None:
    made = sound()
    for row in made.rows["attempt_costs"]:
        row |= {"epochs": 1, "code_fingerprint": "beef"}
    made.rows["attempt_costs"][-1] |= {"code_fingerprint": other, "epochs": 0 if other else 1}
    assert notes_of(made, "mixed user code") == []


def test_seconds_of_several_devices_are_told_by_search() -> None:
    made = sound()
    searches = {row["run"]: row["search"] for row in made.rows["run_results"]}
    for row in made.rows["attempt_costs"]:
        if searches.get(row["run"]) == "uw":
            row["device"] = "another"
    (note,) = notes_of(made, "mixed devices")
    assert "not converted" in note.text
    assert "EW 100 % cpu; UW 100 % another; UW-SO 100 % cpu;" in note.text


def test_a_worker_that_only_started_is_no_mixed_condition() -> None:
    made = sound()
    made.rows["attempt_costs"][0]["device"] = "another"
    assert notes_of(made, "mixed devices") == []


@pytest.mark.parametrize("changes", [{"unfinished": True}, {"empty": True}])
def test_notes_of_an_unfinished_study_can_be_made(changes: dict[str, Any]) -> None:
    assert [note.kind for note in fair_play_notes(synthetic.frames(**changes))][-1] == "data"


@pytest.mark.parametrize(("asynchronous", "fires"), [(True, True), (False, False)])
def test_asynchronous_stopping_is_told(asynchronous: bool, fires: bool) -> None:
    made = sound()
    stop = {"rule": "halving", "rungs": [5], "asynchronous": asynchronous}
    made.spec["search"][0]["stages"] = [{"lr": [0.1], "stop": stop}]
    found = notes_of(made, "asynchronous stopping")
    assert [note.text for note in found] == [STOPPED_ASYNCHRONOUSLY] * fires
    assert list(compare(load(made, "x")).notices) == [STOPPED_ASYNCHRONOUSLY] * fires
