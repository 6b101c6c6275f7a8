"""A study ranked by a metric of which more is better: from the spec to the report."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import optuna
import pytest

from tests.integration.command import command

STUDY = "rated"
OBJECTIVE = "level.closeness"
SPEC = f"""
name = "{STUDY}"
problem = "toy:Toy"
problem_options = {{ close = true }}
objective = "{OBJECTIVE}"
seeds = [0, 1]
[training]
epochs = 9
batch_size = 4
optimizer = "sgd"
[[search]]
weighting = "ew"
[[search.stages]]
lr = {{ log_range = [0.001, 1.0] }}
strategy = "tpe"
trials = 8
round_size = 4
stop = {{ rule = "halving", rungs = [3] }}
[[search]]
weighting = "uw-so"
[[search.stages]]
lr = [0.01, 0.3]
[[search.stages]]
temperature = {{ line = [1, 9], refine = 1 }}
"""


@pytest.fixture(scope="module")
def folder(spec: Path) -> Path:
    """A study that ran through, without a baseline."""
    assert command(spec.parent, "run", spec.name, "--workers", "2").code == 0
    return spec.parent


@pytest.fixture(scope="module")
def compared(folder: Path) -> Any:
    return command(folder, "compare", STUDY, "--json").json


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "weighbridge.db")) as connection:
        return connection.execute(query).fetchall()


def curves(folder: Path, search: str) -> Iterator[tuple[int, str, list[float]]]:
    """Trial, state and validation value by epoch of each run."""
    found: dict[int, tuple[int, str, list[float]]] = {}
    for run, trial, state, value in rows(
        folder,
        "SELECT r.run, r.trial, r.state, e.value FROM run_results r "
        "JOIN epoch_metrics e ON e.run = r.run WHERE e.split = 'validation' "
        f"AND e.task = 'level' AND e.metric = 'closeness' AND r.search = '{search}' "
        "ORDER BY r.run, e.epoch",
    ):
        found.setdefault(run, (trial, state, []))[2].append(value)
    yield from found.values()


def test_no_single_task_network_is_planned_or_trained(folder: Path) -> None:
    planned = command(folder, "plan", f"{STUDY}.toml", "--json").json
    named = [(search["name"], search["objective"]) for search in planned["searches"]]
    assert named == [("ew", OBJECTIVE), ("uw-so", OBJECTIVE)]
    assert rows(folder, "SELECT DISTINCT role FROM run_results") == [("search",)]
    assert rows(folder, "SELECT COUNT(*) FROM baseline_metrics") == [(0,)]


def test_a_run_counts_at_its_highest_epoch(folder: Path) -> None:
    for search in ("ew", "uw-so"):
        best = [max(curve) for _, state, curve in curves(folder, search) if state == "done"]
        values = rows(
            folder,
            "SELECT value_val FROM run_results WHERE state = 'done' "
            f"AND search = '{search}' ORDER BY run",
        )
        assert [value for (value,) in values] == best


def test_rungs_keep_the_highest(folder: Path) -> None:
    at_rung: dict[int, list[float]] = {}
    states: dict[int, str] = {}
    for trial, state, curve in curves(folder, "ew"):
        at_rung.setdefault(trial, []).append(max(curve[:3]))
        states[trial] = state
    assert set(states.values()) == {"done", "pruned"}
    of_round = rows(folder, "SELECT round, trial FROM stage_trials WHERE search = 'ew'")
    for number in {number for number, _ in of_round}:
        mine = [trial for k, trial in of_round if k == number]
        kept = [sum(at_rung[t]) for t in mine if states[t] == "done"]
        lost = [sum(at_rung[t]) for t in mine if states[t] == "pruned"]
        assert min(kept) >= max(lost)


def test_stages_are_won_by_the_highest_and_say_so(folder: Path) -> None:
    for search, stage, trial, value, objective, under in rows(
        folder,
        "SELECT search, stage, trial, value, objective, baseline_hash FROM stage_decisions",
    ):
        means = rows(
            folder,
            "SELECT r.trial, AVG(r.value_val) FROM run_results r JOIN stage_trials s "
            "ON s.search = r.search AND s.trial = r.trial "
            f"WHERE r.search = '{search}' AND s.stage <= {stage} "
            "GROUP BY r.trial HAVING COUNT(r.value_val) >= 2",
        )
        assert value == pytest.approx(max(mean for _, mean in means))
        assert value == pytest.approx(dict(means)[trial])
        assert (objective, under) == (OBJECTIVE, "")


def test_compare_lists_the_highest_first(compared: Any, folder: Path) -> None:
    assert compared["objective"] == {"name": OBJECTIVE, "direction": "max", "unit": ""}
    values = [row["value_test"] for row in compared["rows"]]
    assert values == sorted(values, reverse=True)
    assert [row["delta_m_test"] for row in compared["rows"]] == [None, None]
    assert f"reaches a test {OBJECTIVE} of " in compared["sentence"]
    said = command(folder, "compare", STUDY).text
    assert OBJECTIVE in said
    assert "test ↑" in said
    assert "Δm" not in said


def test_the_report_says_it_in_its_words(folder: Path) -> None:
    assert command(folder, "report", STUDY, "-o", "r.html").code == 0
    page = (folder / "r.html").read_text(encoding="utf-8")
    assert f"ranked by {OBJECTIVE}, of which higher is better" in page
    assert "Test Δm" not in page


def test_optuna_is_handed_a_study_to_maximise(folder: Path, compared: Any) -> None:
    url = f"sqlite:///{folder / 'trials.db'}"
    assert command(folder, "export", STUDY, "-o", f"optuna:{url}").code == 0
    found = optuna.load_study(study_name=f"{STUDY}/uw-so", storage=url)
    assert found.direction is optuna.study.StudyDirection.MAXIMIZE
    assert found.user_attrs["value"] == OBJECTIVE
    winner = next(row for row in compared["rows"] if row["search"] == "uw-so")["params"]
    best = [t.params for t in found.trials if t.value == found.best_value]
    assert {name: winner[name] for name in best[0]} in best


def test_another_objective_is_another_study(folder: Path) -> None:
    changed = folder / "changed.toml"
    changed.write_text(SPEC.replace(OBJECTIVE, "kind.error"))
    for args in (["run"], ["run", "--redecide"]):
        said = command(folder, *args, changed.name)
        assert said.code == 2
        assert f"objective: stored '{OBJECTIVE}', now 'kind.error'" in " ".join(said.err.split())


def test_a_baseline_that_comes_later_brings_delta_m_and_decides_nothing(folder: Path) -> None:
    before = rows(folder, "SELECT * FROM stage_decisions")
    values = "SELECT run, objective, epoch_selected, value_val, value_test FROM run_results"
    searched = rows(folder, f"{values} WHERE role = 'search' ORDER BY run")
    (folder / f"{STUDY}.toml").write_text(SPEC + "[baseline]\nlr = [0.01, 0.3]\n")
    said = command(folder, "run", f"{STUDY}.toml", "--workers", "2")
    assert said.code == 0, said.err
    assert rows(folder, "SELECT * FROM stage_decisions WHERE search NOT LIKE 'stl/%'") == before
    assert rows(folder, f"{values} WHERE role = 'search' ORDER BY run") == searched
    stl, *methods = command(folder, "compare", STUDY, "--json").json["rows"]
    assert (stl["search"], stl["delta_m_test"]) == ("stl", 0.0)
    assert None not in {row["delta_m_test"] for row in methods}
