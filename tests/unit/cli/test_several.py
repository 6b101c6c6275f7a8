"""Studies that one spec asks at once, worked on in turn: none stands in the way of another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import typer

from study.api import Study
from study.cli._ending import way_on
from study.cli._several import each_in_turn, show_each
from study.errors import BaselineMissing, NotAnExtension, StudyError
from study.planning.members import members
from tests.unit.study.specs import spec_of

ENDINGS: Mapping[str, Callable[[], Exception]] = {
    "runs failed": lambda: typer.Exit(1),
    "no baseline": lambda: BaselineMissing("The single-task runs failed."),
    "changed": lambda: NotAnExtension("Seeds were dropped."),
    "interrupted": lambda: typer.Exit(130),
}


@pytest.fixture(scope="module")
def three() -> list[Study]:
    """The pairs of three tasks: left-right, left-sum, right-sum."""
    return [Study(one, storage="sqlite:///none.db") for one in members(spec_of(tasks="pairs"))]


def worked(studies: list[Study], *endings: str) -> tuple[list[str], int]:
    """Whose turn came, and the exit code; `endings` are how the first end."""
    came: list[str] = []

    def work(study: Study) -> None:
        came.append(study.name.partition(".")[2])
        if len(came) <= len(endings) and (ending := ENDINGS.get(endings[len(came) - 1])):
            raise ending()

    try:
        each_in_turn("pairs.toml", studies, work)
    except typer.Exit as exit:
        return came, exit.exit_code
    return came, 0


@pytest.mark.parametrize(
    ("endings", "n_worked", "code"),
    [
        ([], 3, 0),
        (["runs failed"], 3, 1),
        (["no baseline", "runs failed", "well"], 3, 1),
        (["changed", "runs failed"], 3, 2),
        (["changed", "interrupted"], 2, 130),
    ],
)
def test_one_that_fails_keeps_no_other_from_its_turn(
    three: list[Study], endings: list[str], n_worked: int, code: int
) -> None:
    came, exit_code = worked(three, *endings)
    assert came == ["left-right", "left-sum", "right-sum"][:n_worked]
    assert exit_code == code


def test_those_that_failed_are_named_with_how_to_look_at_them(
    three: list[Study], capsys: pytest.CaptureFixture[str]
) -> None:
    worked(three, "no baseline", "changed")
    said, wrong = (" ".join(text.split()) for text in capsys.readouterr())
    assert "Of 3 studies, 2 failed: tried.left-right, tried.left-sum." in said
    assert "next: weighbridge log tried.left-right" in said
    assert "log tried.left-sum" not in said
    assert "error tried.left-sum: Seeds were dropped." in wrong
    assert "compare" not in said


def test_all_that_end_well_are_compared_next(
    three: list[Study], capsys: pytest.CaptureFixture[str]
) -> None:
    worked(three)
    assert "weighbridge compare pairs.toml" in capsys.readouterr().out


def test_the_only_study_fails_as_ever(three: list[Study]) -> None:
    with pytest.raises(StudyError, match="Seeds were dropped"):
        worked(three[:1], "changed")


def test_a_plan_says_that_each_has_a_budget_of_its_own(
    three: list[Study], capsys: pytest.CaptureFixture[str]
) -> None:
    show_each("pairs.toml", three, alone=True)
    assert "[budget]" not in capsys.readouterr().out
    limited = [study.with_budget({"epochs": 30, "device_s": 9.0}) for study in three]
    show_each("pairs.toml", limited, alone=True)
    said = " ".join(capsys.readouterr().out.split())
    assert "`epochs` and `device_s` of [budget] count for each of the 3 studies by itself." in said


def test_a_budget_of_the_command_is_told_from_that_of_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pairs.toml").write_text(
        'name = "tried"\nproblem = "digits"\ntasks = "pairs"\nseeds = [0]\n'
        "training = { epochs = 1, batch_size = 8 }\n"
        'search = [{ weighting = "ew", stages = [{ lr = [0.01, 0.1] }] }]\n'
    )
    spec, *_ = members(spec_of(tasks="pairs"))
    limited = Study(spec, storage="sqlite:///none.db").with_budget({"epochs": 3})
    said = way_on("pairs.toml", limited, ["epochs"])
    assert said.startswith("--budget says less than pairs.toml does: `weighbridge run pairs.toml")
