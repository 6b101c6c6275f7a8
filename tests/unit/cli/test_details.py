"""`compare --details`: whole numbers at any width, and a word where there is nothing."""

from __future__ import annotations

import pytest
from rich.console import Console

from reports import compare, load
from study.cli import _details, _wide
from study.cli._details import show_details
from tests.unit.reports import synthetic


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is said beside the tables."""
    texts: list[str] = []

    def say(*parts: str | tuple[str, str]) -> None:
        texts.append("".join(part if isinstance(part, str) else part[0] for part in parts))

    monkeypatch.setattr(_details, "say", say)
    return texts


@pytest.mark.parametrize("width", [80, 150])
def test_all_tables_are_whole(
    width: int, said: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = synthetic.frames()
    monkeypatch.setattr(_wide, "console", Console(width=width, color_system=None))
    comparison = compare(frames)
    show_details(frames, comparison)
    shown = capsys.readouterr().out
    assert len(said) == 3
    assert max(map(len, shown.splitlines())) <= width
    assert "…" not in shown
    assert all(word in shown for word in ("mean over tasks", "worst task", "overtuning", "error"))
    for one in comparison.tuning:
        assert one.untuned is not None
        assert f"{one.untuned.value:+.2f} %" in shown


def test_a_study_without_values_says_so(said: list[str]) -> None:
    frames = synthetic.frames(empty=True)
    show_details(frames, compare(frames))
    assert said == ["No details: no method has a value yet that no outstanding run can change."]


def test_a_sealed_study_says_so(said: list[str]) -> None:
    made = synthetic.reader(epochs=3)
    made.sealed = True
    for row in made.rows["run_results"]:
        row["delta_m_test"] = None
    made.rows["epoch_metrics"] = [r for r in made.rows["epoch_metrics"] if r["split"] != "test"]
    frames = load(made, "x")
    show_details(frames, compare(frames))
    assert said == ["No details: they are made of test values, and the study is sealed."]
