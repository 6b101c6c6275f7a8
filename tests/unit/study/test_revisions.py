"""What was changed of a spec is told by the keys of the TOML."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from storage.records import Revision
from study.planning.revisions import changes_of, differences
from tests.unit.study.specs import spec_of

UW = {"weighting": "uw", "stages": [{"lr": [0.01]}]}


def plain(**keys: Any) -> dict[str, Any]:
    return spec_of(**keys).to_plain()


def told(**keys: Any) -> list[str]:
    return differences(plain(), plain(**keys))


def revision(spec: dict[str, Any], *, accepted: bool = True) -> Revision:
    return Revision(made_at=datetime.now(UTC), accepted=accepted, spec=spec, runs_ended=1)


def test_the_same_again_is_no_change() -> None:
    assert told() == []


def test_keys_are_told_with_both_values() -> None:
    assert told(seeds=[0, 1, 2]) == ["seeds: [0, 1] -> [0, 1, 2]"]
    assert told(compare={"margin": 2.0}) == ["[compare] margin: 1.0 -> 2.0"]
    assert told(compare={"claim": "C1"}) == ['[compare] claim: nothing -> "C1"']
    assert told(budget={"device_s": 60}) == ["[budget] device_s: nothing -> 60.0"]


def test_a_section_that_was_not_there_is_told_by_its_keys() -> None:
    assert "[confirm] seeds: nothing -> 5" in told(confirm={"seeds": 5})
    assert not any("null" in line for line in told(confirm={"seeds": 5}))


def test_a_search_that_was_added_is_one_line() -> None:
    ew = {"weighting": ["ew", "rlw"], "stages": [{"lr": [0.001, 0.01]}]}
    assert told(search=[ew, UW]) == ["search rlw was added", "search uw was added"]
    assert differences(plain(search=[ew]), plain()) == ["search rlw was removed"]


def test_points_are_told_by_their_stage() -> None:
    more = {"weighting": "ew", "stages": [{"lr": [0.001, 0.01, 0.1]}, {"weight_decay": [0.0, 0.1]}]}
    first, second = told(search=[more])
    assert first.startswith("search ew: stage 1: ")
    assert "[0.001, 0.01] ->" in first.replace('"', "").replace("{lr: ", "").replace("}", "")
    assert second.startswith("search ew: stage 2: nothing -> ")


def test_a_long_change_is_cut() -> None:
    (line,) = told(seeds=[0, 1, *range(1_000, 2_000)])
    assert len(line) < 300


def test_each_change_is_held_against_what_came_after_it() -> None:
    specs = [plain(seeds=list(range(n))) for n in (1, 2, 3)]
    wish = plain(seeds=[7])
    kept = [revision(specs[0]), revision(wish, accepted=False), revision(specs[1])]
    found = [(one.accepted, lines) for one, lines in changes_of(kept, specs[2])]
    assert found == [
        (True, ["seeds: [0] -> [0, 1]"]),
        (False, ["seeds: [0, 1] -> [7]"]),
        (True, ["seeds: [0, 1] -> [0, 1, 2]"]),
    ]


def test_a_change_to_the_same_is_left_out() -> None:
    assert list(changes_of([revision(plain())], plain())) == []
