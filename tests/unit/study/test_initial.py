"""Searches that begin from another one's network: their order, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from study.errors import BadSpec
from study.planning.keys import digest, run_key
from tests.unit.study.specs import a_plan

NUMBERS = {"left": {"error_rate": 0.5}, "right": {"error_rate": 0.5}, "sum": {"mae": 1.0}}
LR = {"stages": [{"lr": [0.001, 0.01]}]}


def searches(**init_from: str) -> list[dict[str, Any]]:
    """EW, UW and DWA, as far as they are named with what they begin from."""
    return [
        {"weighting": name, **({"init_from": init_from[name]} if init_from[name] else {}), **LR}
        for name in init_from
    ]


def names(**init_from: str) -> list[str]:
    return [search.name for search in a_plan(*searches(**init_from)).searches][3:]


def test_a_search_comes_behind_the_one_that_it_begins_from() -> None:
    assert names(ew="", uw="", dwa="") == ["ew", "uw", "dwa"]
    assert names(ew="dwa", uw="", dwa="uw") == ["uw", "dwa", "ew"]
    assert names(ew="stl/left", uw="ew") == ["ew", "uw"]


@pytest.mark.parametrize(
    ("init_from", "finding"),
    [
        ({"ew": "dva", "dwa": ""}, "Did you mean `dwa`?"),
        ({"ew": "stl/middle"}, "There are stl/left, stl/right, stl/sum, ew"),
        ({"ew": "ew"}, "Got ew from ew"),
        ({"ew": "uw", "uw": "ew"}, "Got ew from uw, uw from ew"),
        ({"ew": "dwa", "uw": "dwa", "dwa": "uw"}, "Got dwa from uw, uw from dwa. Drop one"),
    ],
)
def test_what_leads_nowhere_is_refused(init_from: dict[str, str], finding: str) -> None:
    with pytest.raises(BadSpec) as refused:
        names(**init_from)
    assert finding in str(refused.value)


@pytest.mark.parametrize(
    ("baseline", "way_out"),
    [
        (None, "Without [baseline] no single-task networks are trained. Add it."),
        ({"metrics": NUMBERS}, "Drop them."),
    ],
)
def test_a_single_task_network_needs_a_trained_baseline(
    baseline: dict[str, Any] | None, way_out: str
) -> None:
    parts: dict[str, Any] = {"objective": "left.error_rate"}
    parts |= {} if baseline is None else {"baseline": baseline}
    with pytest.raises(BadSpec) as refused:
        a_plan(*searches(ew="stl/left"), **parts)
    assert way_out in str(refused.value)


def test_it_needs_networks_that_are_kept() -> None:
    with pytest.raises(BadSpec, match="needs networks that are kept"):
        a_plan(*searches(ew="", uw="ew"), keep={"networks": "none"})


def test_it_is_told_before_the_study_runs() -> None:
    plan = a_plan(*searches(ew="", uw="ew"))
    assert "Search uw begins from the best network of ew" in " ".join(plan.notices)


def test_it_is_part_of_a_runs_key_and_without_it_keys_are_what_they_were() -> None:
    named: dict[str, Any] = {
        "study": "s",
        "search": "ew",
        "frozen": "f",
        "weighting": "ew",
        "params": "{}",
        "seed": 0,
    }
    assert run_key(**named) == digest(["s", "ew", "f", "ew", "{}", 0])
    keys = {run_key(**named, initial=initial) for initial in (None, ("a", 1), ("a", 2), ("b", 1))}
    assert len(keys) == 4
