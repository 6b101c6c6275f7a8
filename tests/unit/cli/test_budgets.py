"""`compare --at`: a table a budget, whole on any terminal, or JSON."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from reports import load
from reports.errors import BadBudget
from study.cli import _budgets, _output, _wide
from study.cli._budgets import show_budgets
from study.cli._console import _Literal
from tests.unit.reports import synthetic


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that makes a terminal of so many columns, and gives what is written to it."""

    def of(width: int) -> io.StringIO:
        stream = io.StringIO()
        console = _Literal(
            file=stream, width=width, markup=False, emoji=False, highlight=False, color_system=None
        )
        for module in (_wide, _output):
            monkeypatch.setattr(module, "console", console)
        return stream

    return of


def shown(*texts: str, as_run: bool = False, as_json: bool = False, **changes: Any) -> None:
    frames = synthetic.frames(**changes)
    show_budgets(frames, texts, storage="sqlite:///x.db", as_run=as_run, as_json=as_json)


@pytest.mark.parametrize("width", [80, 160])
def test_each_budget_has_a_table_that_fits(terminal: Any, width: int) -> None:
    stream = terminal(width)
    shown("30runs", "60runs")
    written = stream.getvalue()
    assert max(map(len, written.splitlines()[:-1])) <= width
    assert written.index("At 30 runs") < written.index("At 60 runs")
    assert "95 % intervals over seeds" in written
    assert "seed error of single-task networks" in " ".join(written.split())
    assert "next: weighbridge report synthetic" in written


def test_full_asks_for_what_searches_cost(terminal: Any) -> None:
    stream = terminal(160)
    shown(_budgets.NATURAL)
    assert "(the whole search of Scalarization)" in stream.getvalue()


def test_too_little_says_what_would_be_enough(terminal: Any) -> None:
    stream = terminal(160)
    shown("2runs")
    assert "too little: a winner from 3 runs on" in stream.getvalue()


@pytest.mark.parametrize(["as_run", "axis"], [(False, "solo_s"), (True, "as_run_s")])
def test_time_is_that_of_runs_alone_unless_asked_for_as_run(
    terminal: Any, as_run: bool, axis: str, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal(80)
    shown("60s", as_run=as_run, as_json=True, fused=True)
    (found,) = json.loads(capsys.readouterr().out)["budgets"]
    assert (found["axis"], found["budget"]) == (axis, 60.0)
    assert [one["rank"] for one in found["methods"]] == [1, 2, 3, 4]


def test_a_study_in_packs_is_told_of_the_other_time(terminal: Any) -> None:
    stream = terminal(160)
    shown("60s", fused=True)
    assert "--as-run" in stream.getvalue()


def test_nothing_finished_says_so(terminal: Any) -> None:
    stream = terminal(80)
    shown("60s", empty=True)
    assert "No trial has all its seeds" in stream.getvalue()


def test_rubbish_is_refused(terminal: Any) -> None:
    terminal(80)
    with pytest.raises(BadBudget, match="600s"):
        shown("much")


def test_outstanding_runs_are_told_of(terminal: Any) -> None:
    stream = terminal(160)
    shown("1000runs", unfinished=True)
    assert "all so far" in stream.getvalue()
    assert "runs outstanding" in stream.getvalue()


def test_full_stands_alone(terminal: Any) -> None:
    terminal(80)
    with pytest.raises(BadBudget, match="only budget"):
        shown("full", "60s")


def test_a_training_function_has_no_methods_to_compare(terminal: Any) -> None:
    terminal(80)
    made = synthetic.reader()
    made.card["kind"] = "function"
    frames = load(made, synthetic.STUDY)
    with pytest.raises(BadBudget, match="training function"):
        show_budgets(frames, ["60s"], storage="sqlite:///x.db", as_run=False, as_json=False)
