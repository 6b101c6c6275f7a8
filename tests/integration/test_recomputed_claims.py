"""Every number of `claims --json`, worked out again from the SQL views alone."""

from __future__ import annotations

import re
import statistics
from typing import Any

import pytest

from tests.integration.command import command
from tests.integration.recomputing import Study
from tests.integration.recomputing_budgets import Curves, alone
from tests.integration.recomputing_claims import Fronts, FullGrid, over_seeds
from tests.integration.test_recomputed import METRICS, close_to
from tests.integration.tiny_study import write_spec

MARGIN = 30.0
OTHERS = ("ew", "rlw", "dwa", "gls", "imtl-l", "uw")
SEARCHES = (*OTHERS, "scalarization", "uw-so")
SPEC = """
[compare]
margin = 30.0
[[search]]
weighting = "ew"
stages = [{ lr = [0.02, 0.05, 0.2], weight_decay = [0.0, 0.03, 0.3] }]
[[search]]
weighting = "gls"
stages = [{ lr = [0.05, 0.2], weight_decay = [0.0, 0.03, 0.3] }]
[[search]]
weighting = ["rlw", "dwa", "imtl-l", "uw"]
stages = [{ lr = [0.05, 0.2] }]
[[search]]
weighting = "scalarization"
stages = [{ lr = [0.05, 0.2] }, { task_weights = { simplex_step = 0.2 } }]
[[search]]
weighting = "uw-so"
stages = [{ lr = [0.05, 0.2] }, { temperature = { line = [1, 5, 10, 50] } }]
"""
NUMBER = r"([+−]?[\d.]+)"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What is said of each claim, the study's views, and its curves."""
    folder, seeds = tmp_path_factory.mktemp("claims"), [0, 1, 2]
    write_spec(folder, "again", SPEC, epochs=5)
    spec = folder / "again.toml"
    spec.write_text(spec.read_text().replace("seeds = [0, 1]", f"seeds = {seeds}"))
    said = command(folder, "run", "again.toml", "--workers", "1")
    assert said.code == 0, said.err
    path = folder / "weighbridge.db"
    study = Study(path, metrics=METRICS, seeds=seeds, margin=MARGIN)
    claims = command(folder, "claims", "again", "--json").json["studies"]["again"]
    return {claim["claim"]: claim for claim in claims}, study, Curves(path, study)


@pytest.fixture(scope="module")
def differences(ran: Any) -> dict[str, dict[str, Any]]:
    """UW-SO minus each other method: all but the reference after Holm."""
    _, study, _ = ran
    found = study.differences("uw-so", "scalarization", OTHERS)
    return {one["b"]: one for one in found}


def test_c1_is_what_the_views_say(ran: Any, differences: dict[str, dict[str, Any]]) -> None:
    claims, study, curves = ran
    claim, d = claims["C1"], differences["scalarization"]
    assert _effects(claim) == [close_to((d["difference"], d["low"], d["high"]))]
    assert claim["finding"] == _finding(d["high"] <= MARGIN, d["low"] > MARGIN)
    assert claim["runs"]["again"] == _ids(study, "uw-so", "scalarization")
    matched = curves.to_match("uw-so", "scalarization", alone)
    printed = re.search(rf"pays {NUMBER} times .* which flatters: {NUMBER} ", claim["said"])
    assert printed, claim["said"]
    assert [_number(text) for text in printed.groups()] == [
        pytest.approx(matched["fair"], abs=0.005001),
        pytest.approx(matched["full"], abs=0.005001),
    ]


def test_c1_beside_sparser_grids_is_what_the_views_say(ran: Any) -> None:
    claims, _, curves = ran
    told = re.findall(
        rf"\((\d+)\) {NUMBER} points \(95 % interval {NUMBER} to {NUMBER}; (\w+)\)",
        " ".join(claims["C1"]["remarks"]),
    )
    wanted = curves.sparser("uw-so", "scalarization", 1)
    assert [(int(n), word) for n, *_, word in told] == [
        (part["n_points"], part["difference"]["verdict"]) for part in wanted
    ]
    for (_, *numbers, _), part in zip(told, wanted, strict=True):
        ends = [part["difference"][name] for name in ("difference", "low", "high")]
        assert [_number(text) for text in numbers] == pytest.approx(ends, abs=0.005001)


def test_c2_is_what_the_views_say(ran: Any, differences: dict[str, dict[str, Any]]) -> None:
    claims, study, _ = ran
    claim = claims["C2"]
    family = {b: differences[b] for b in OTHERS}
    assert _effects(claim) == [
        close_to((d["difference"], d["low"], d["high"])) for d in family.values()
    ]
    assert [effect["level"] for effect in claim["effects"]] == close_to(
        [d["level"] for d in family.values()]
    )
    verdicts = {d["verdict"] for d in family.values()}
    assert claim["finding"] == _finding(verdicts == {"better"}, verdicts & {"worse", "comparable"})
    assert claim["runs"]["again"] == _ids(study, "uw-so", *OTHERS)


def test_c4_is_what_the_views_say(ran: Any) -> None:
    claims, study, _ = ran
    claim, grids = claims["C4"], [FullGrid(study, search) for search in ("ew", "gls")]
    rate, decay = (
        [statistics.fmean(values) for values in zip(*lost, strict=True)]
        for lost in zip(*(grid.lost() for grid in grids), strict=True)
    )
    found = over_seeds([a - b for a, b in zip(rate, decay, strict=True)])
    assert any(rate) and any(decay)
    assert _effects(claim) == close_to([found, over_seeds(rate), over_seeds(decay)])
    assert claim["finding"] == _finding(found[1] > 0, found[2] < 0)
    assert claim["runs"]["again"] == sorted(
        run["run"] for grid in grids for cell in grid.runs.values() for run in cell.values()
    )


def test_importances_on_full_grids_are_those_of_the_views(ran: Any) -> None:
    claims, study, _ = ran
    said = claims["C4"]["importances"]
    assert [(one["search"], one["method"]) for one in said] == [
        ("ew", "sums of squares"),
        ("gls", "sums of squares"),
    ]
    for one in said:
        shares = {share["param"]: _ends(share, "share") for share in one["shares"]}
        assert shares == close_to(FullGrid(study, one["search"]).sums_of_squares())


def test_c5_is_what_the_views_say(ran: Any) -> None:
    claims, study, _ = ran
    claim = claims["C5"]

    def on_validation(search: str) -> float:
        best = study.trials(search)[study.best(search, study.seeds)[0]]
        return statistics.fmean(study.scored(run, "validation") for run in best.values())

    best = min(SEARCHES, key=on_validation)
    d = study.against_stl(best)
    assert _effects(claim) == [close_to((d["difference"], d["low"], d["high"]))]
    assert claim["finding"] == _finding(d["low"] >= -MARGIN, d["high"] < 0)
    single = [run["run"] for runs in study.alone.values() for run in runs]
    assert claim["runs"]["again"] == sorted([*_ids(study, best), *single])


def test_c10_is_what_the_views_say(ran: Any) -> None:
    claims, study, _ = ran
    claim, fronts = claims["C10"], Fronts(study, SEARCHES, "scalarization")
    by_seed, of_means = fronts.shares()
    mean, low, high = over_seeds(by_seed)
    best, mix = map(over_seeds, fronts.depths())
    assert _effects(claim) == close_to([(mean, max(low, 0.0), min(high, 100.0)), best, mix])
    assert f"and {of_means:.0f} % by the means over seeds" in claim["said"]
    assert claim["finding"] == _finding(best[1] > 0, mix[2] < 0 or not any(by_seed))
    assert claim["runs"]["again"] == sorted(run["run"] for run in fronts.runs)


def _finding(supported: object, refuted: object) -> str:
    return "supported" if supported else "not supported" if refuted else "undecided"


def _effects(claim: dict[str, Any]) -> list[list[float]]:
    return [_ends(effect, "value") for effect in claim["effects"]]


def _ends(told: dict[str, Any], name: str) -> list[float]:
    """A value and its interval, as ``close_to`` has sequences."""
    return [told[name], told["low"], told["high"]]


def _ids(study: Study, *searches: str) -> list[int]:
    return sorted({run["run"] for search in searches for run in study.runs_behind(search)[1]})


def _number(text: str) -> float:
    return float(text.replace("−", "-"))
