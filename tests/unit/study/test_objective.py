"""Objectives of Optuna, unchanged, as training functions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest

from study.searches.objective import call
from trainers.errors import BadReport, BadSuggestion, NotOfATrial
from trainers.functions import Report, RunStopped
from trainers.functions._report import Reported
from trainers.parts import place_of

POINT = {"lr": 0.1, "depth": 2, "act": "relu"}


def objective(trial: optuna.Trial) -> float:
    """The kind that stands in Optuna's tutorial."""
    lr = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    depth = trial.suggest_int("depth", 1, 3)
    act = trial.suggest_categorical("act", ["relu", "tanh"])
    trial.set_user_attr("act", act)
    loss = 8.0
    for step in range(4):
        loss = loss / 2 + lr * depth
        trial.report(loss, step)
        if trial.should_prune():
            raise optuna.TrialPruned
    return loss


def run(
    function: Any, tmp_path: Path, *, until: int = 9, others: tuple[str, ...] = ()
) -> tuple[list[Reported], str]:
    """What is reported, and why the run was stopped."""
    said: list[Reported] = []
    report = Report(
        "loss", said.append, until=until, last=9, stop_requested=lambda: False, others=others
    )
    call(function, POINT, 7, tmp_path, report)
    return said, report.why


def values(said: list[Reported]) -> list[float]:
    return [value for one in said for _, _, value in one.values]


def test_an_objective_reports_its_intermediate_values(tmp_path: Path) -> None:
    said, why = run(objective, tmp_path)
    assert [one.step for one in said] == [1, 2, 3, 4]
    assert values(said) == pytest.approx([4.2, 2.3, 1.35, 0.875])
    assert why == ""


def test_what_it_returns_is_its_last_report(tmp_path: Path) -> None:
    said, _ = run(lambda trial: objective(trial) - 0.5, tmp_path)
    assert [one.step for one in said] == [1, 2, 3, 4, 5]
    assert values(said)[-1] == pytest.approx(0.375)


def test_one_without_reports_is_worth_what_it_returns(tmp_path: Path) -> None:
    said, _ = run(lambda trial: trial.suggest_float("lr", 0, 1) ** 2, tmp_path)
    assert values(said) == pytest.approx([0.01])


def test_should_prune_says_when_the_study_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(RunStopped):
        run(objective, tmp_path, until=2)


def test_one_that_never_asks_is_stopped_at_its_next_report(tmp_path: Path) -> None:
    steps: list[int] = []

    def stubborn(trial: optuna.Trial) -> None:
        for step in range(5):
            steps.append(step)
            trial.report(1.0, step)

    with pytest.raises(RunStopped):
        run(stubborn, tmp_path, until=2)
    assert steps == [0, 1, 2]


def test_one_that_prunes_itself_keeps_what_it_has_reported(tmp_path: Path) -> None:
    def picky(trial: optuna.Trial) -> None:
        trial.report(3.0, 0)
        raise optuna.TrialPruned

    said, why = run(picky, tmp_path)
    assert (values(said), why) == ([3.0], "")


def test_one_that_says_nothing_is_told_in_its_own_words(tmp_path: Path) -> None:
    def pruned(trial: optuna.Trial) -> None:
        raise optuna.TrialPruned

    with pytest.raises(BadReport, match=r"has not\. Call `trial\.report"):
        run(pruned, tmp_path)
    with pytest.raises(BadReport, match="Got None, and nothing was reported"):
        run(lambda _trial: None, tmp_path)


def test_the_place_of_a_refusal_is_in_the_objective(tmp_path: Path) -> None:
    with pytest.raises(BadSuggestion) as refused:
        run(lambda trial: trial.suggest_int("depth", 3, 9), tmp_path)
    assert place_of(refused.value).startswith("test_objective.py, line ")


def test_it_gets_seed_and_folder_as_user_attributes(tmp_path: Path) -> None:
    got: list[Any] = []

    def curious(trial: optuna.Trial) -> float:
        got.extend([trial.user_attrs["seed"], trial.user_attrs["folder"], trial.params])
        return 1.0

    run(curious, tmp_path)
    assert got[:2] == [7, str(tmp_path)]


@pytest.mark.parametrize(
    ("ask", "why"),
    [
        (
            lambda t: t.suggest_int("width", 1, 9),
            "Got `width`; this trial has lr, depth",
        ),
        (lambda t: t.suggest_float("lr", 0.2, 1.0), r"lr = 0.1, and the objective has 0.2 to 1.0"),
        (lambda t: t.suggest_int("depth", 3, 9), "depth = 2, and the objective has 3 to 9"),
        (lambda t: t.suggest_int("depth", 1, 9, step=2), "has 1 to 9 in steps of 2"),
        (lambda t: t.suggest_float("act", 0, 1), "act = 'relu', and the objective has 0.0 to 1.0"),
        (lambda t: t.suggest_categorical("act", ["gelu"]), r"has the choices \['gelu'\]. Change"),
    ],
)
def test_what_the_study_and_the_objective_do_not_share_is_said(
    ask: Any, why: str, tmp_path: Path
) -> None:
    with pytest.raises(BadSuggestion, match=why):
        run(ask, tmp_path)


@pytest.mark.parametrize("name", ["number", "study", "system_attrs", "suggest_uniform", "storage"])
def test_what_only_optunas_trials_have_is_refused_with_what_there_is(
    name: str, tmp_path: Path
) -> None:
    with pytest.raises(NotOfATrial, match=f"`trial.{name}` is not there; there are suggest_float"):
        run(lambda trial: getattr(trial, name), tmp_path)
    run(lambda trial: 1.0 if not hasattr(trial, name) else 1 / 0, tmp_path)


@pytest.mark.parametrize("returned", [(0.1, 0.2), [0.1, 0.2], (0.1,)])
def test_several_objectives_are_refused(returned: Any, tmp_path: Path) -> None:
    with pytest.raises(BadReport, match=r"returns one number here\. Got .* Return 'loss'"):
        run(lambda _trial: returned, tmp_path)


def test_one_of_several_is_worth_what_it_returns(tmp_path: Path) -> None:
    said, why = run(lambda _trial: (0.1, 2), tmp_path, others=("size",))
    (only,) = said
    assert only.values == (("validation", "loss", 0.1), ("validation", "size", 2.0))
    assert why == ""


@pytest.mark.parametrize("returned", [0.1, (0.1,), (0.1, 0.2, 0.3)])
def test_one_of_several_returns_a_number_for_each(returned: Any, tmp_path: Path) -> None:
    with pytest.raises(BadReport, match="a number for each of 'loss', 'size', in this order"):
        run(lambda _trial: returned, tmp_path, others=("size",))


def test_one_of_several_that_returns_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadReport, match=r"returns loss, size, .* Got None"):
        run(lambda _trial: None, tmp_path, others=("size",))


def test_one_of_several_reports_no_single_values(tmp_path: Path) -> None:
    with pytest.raises(NotOfATrial, match="this study has several objectives: loss, size"):
        run(lambda trial: trial.report(1.0, 0), tmp_path, others=("size",))


@pytest.mark.parametrize("returned", ["0.1", {}, b"1", object()])
def test_what_is_no_number_is_refused(returned: Any, tmp_path: Path) -> None:
    def reporting(trial: Any) -> Any:
        trial.report(1.0, 0)
        return returned

    with pytest.raises(BadReport, match="is one number"):
        run(reporting, tmp_path)


def test_a_choice_is_the_objectives_own_object(tmp_path: Path) -> None:
    widths = [[8, 16], [4]]

    def picky(trial: Any) -> float:
        assert trial.suggest_categorical("hidden", widths) is widths[0]
        assert trial.suggest_categorical("flag", [1, True]) is True
        assert trial.params["hidden"] == [8, 16]
        return 1.0

    report = Report("loss", lambda _: None, until=9, last=9, stop_requested=lambda: False)
    call(picky, {"hidden": (8, 16), "flag": True}, 7, tmp_path, report)
