"""A study is told when the user's code changes under it, and may refuse."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from storage.records import TrainedWith
from study.errors import CodeChanged
from study.planning.plan import Plan, make_plan
from study.running.code_check import check_code, code_note, unread_note, worker_note
from study.spec.study_spec import parse
from tests import toy
from trainers.worker.code import Code

NOW = Code({"mine": "new", "helper": "same"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("code")
    shutil.copy(toy.__file__, path / "toy.py")
    (path / "training.py").write_text("import toy\n")
    return path


def planned(folder: Path, *, strict: bool = False, **what: object) -> Plan:
    spec = {
        "name": "demo",
        "seeds": [0],
        "training": {"epochs": 1, "batch_size": 4, "lr": 0.1, "strict_code": strict},
        "search": [{"stages": [{"lr": [0.1]}]}],
        **what,
    }
    return make_plan(parse(spec, source="here"), folder=str(folder))


def toy_plan(folder: Path, *, strict: bool = False) -> Plan:
    search = [{"weighting": "ew", "stages": [{"lr": [0.1]}]}]
    return planned(folder, strict=strict, problem="toy:Toy", search=search)


def trained(*versions: tuple[Code, int]) -> Sequence[TrainedWith]:
    return [
        TrainedWith(fingerprint=code.fingerprint, modules=code.modules, runs=runs)
        for code, runs in versions
    ]


def test_a_problems_module_is_the_users_code(folder: Path) -> None:
    assert set(toy_plan(folder).code.modules) == {"toy"}


@pytest.mark.parametrize("kind", ["plain", "optuna", "ray"])
def test_so_is_a_functions_of_any_kind_with_what_it_imports(folder: Path, kind: str) -> None:
    function = {"target": "training:train", "metric": "loss", "kind": kind}
    spec = {"function": function, "training": {"epochs": 1, "strict_code": True}}
    plan = planned(folder, **spec)
    assert set(plan.code.modules) == {"training", "toy"}


def test_a_built_in_problem_has_none(folder: Path) -> None:
    plan = planned(folder, problem="digits", search=[{"weighting": "ew", "stages": [{"lr": [1]}]}])
    assert plan.code == Code()


def test_nothing_is_said_while_the_code_stays(folder: Path) -> None:
    plan = replace(toy_plan(folder, strict=True), code=NOW)
    assert check_code(plan, trained((NOW, 4))) == check_code(plan, []) == ""


def test_what_has_changed_is_named_with_the_runs_of_before(folder: Path) -> None:
    plan = replace(toy_plan(folder), code=NOW)
    old, older = Code({"mine": "old", "helper": "same"}), Code({"gone": "x"})
    before = trained((old, 4), (NOW, 2), (older, 1))
    note = code_note(plan, before)
    assert "since 5 runs were trained: gone, mine." in note
    assert check_code(plan, before) == note


def test_a_module_that_a_new_search_brings_along_is_no_change(folder: Path) -> None:
    plan = replace(toy_plan(folder, strict=True), code=NOW)
    assert check_code(plan, trained((Code({"mine": "new"}), 4))) == ""


def test_many_modules_are_counted(folder: Path) -> None:
    plan = replace(toy_plan(folder), code=NOW)
    before = Code({f"m{number}": "x" for number in range(9)})
    assert "and 4 more" in code_note(plan, trained((before, 1)))


def test_a_strict_study_refuses(folder: Path) -> None:
    plan = replace(toy_plan(folder, strict=True), code=NOW)
    with pytest.raises(CodeChanged, match=r"1 run was trained: mine\..*Go back"):
        check_code(plan, trained((Code({"mine": "old"}), 1)))


def test_a_worker_with_other_code_is_told_or_refused(folder: Path) -> None:
    plan = replace(toy_plan(folder), code=NOW)
    assert worker_note(plan, NOW, host="a") == ""
    other = Code({"mine": "edited", "helper": "same"})
    assert "worker on node7 has loaded other code" in worker_note(plan, other, host="node7")
    strict = replace(toy_plan(folder, strict=True), code=NOW)
    with pytest.raises(CodeChanged, match=r"node7.*: mine"):
        worker_note(strict, other, host="node7")


def test_what_a_worker_has_loaded_unread_is_told_or_refused(folder: Path) -> None:
    assert unread_note(toy_plan(folder), []) == ""
    note = unread_note(toy_plan(folder), ["net_a", "net_b"])
    assert note.startswith("No import that can be read names what the workers have loaded: net_a, ")
    with pytest.raises(CodeChanged, match=r"`strict_code` keeps .* net_b.* Changes of it are not"):
        unread_note(toy_plan(folder, strict=True), ["net_b"])
