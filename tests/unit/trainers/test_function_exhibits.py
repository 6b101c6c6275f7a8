"""What a training function shows beside its metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import blocks
from tests.unit.trainers.calling import EPOCHS, ending, epochs, falling, trained
from trainers.events import EpochDone, Event
from trainers.exhibits import Table, pack
from trainers.functions import Report


def table(name: str, value: int = 1) -> Table:
    return Table(name, "A table", ["value"], [[value]])


def showing(params: dict[str, Any], seed: int, folder: Path, report: Report) -> None:
    """Shows the step with each report, and resumes as `falling` does."""

    class Shown(Report):
        def __call__(self, step: int, metrics: Any) -> None:
            report.show(table("step", step), split="test")
            report(step, metrics)

    falling(params, seed, folder, Shown.__new__(Shown))


def shown(events: list[Event]) -> list[tuple[int, ...]]:
    """Of each report, the values that are shown."""
    return [
        tuple(int(one.content.rpartition("[[")[2].rstrip("]}")) for one in event.exhibits)
        for event in events
        if isinstance(event, EpochDone)
    ]


def test_it_goes_out_with_the_next_report() -> None:
    def train(params: Any, seed: int, folder: Path, report: Report) -> None:
        report(1, {"loss": 1.0})
        report.show(table("a", 1))
        report.show(table("b", 2))
        report.show(table("a", 3))
        report(2, {"loss": 1.0})
        report(3, {"loss": 1.0})

    events = trained(train)
    assert shown(events) == [(), (3, 2), ()]
    assert isinstance(events[1], EpochDone)
    assert events[1].exhibits[0] == pack(table("a", 3))


def test_one_that_only_returns_shows_as_well() -> None:
    def train(params: Any, seed: int, folder: Path, report: Report) -> float:
        report.show(table("a"))
        return 1.0

    assert shown(trained(train)) == [(1,)]


def test_what_was_shown_before_a_kill_is_told_once_it_goes_on(tmp_path: Path) -> None:
    """The database has heard of step 1 only."""
    before = trained(showing, tmp_path, until=3)
    after = trained(showing, tmp_path, recorded=1)
    assert epochs(after) == [2, 3, 4, EPOCHS]
    assert shown(before)[1:] + shown(after)[2:] == shown(after)
    assert {
        one.split for event in after if isinstance(event, EpochDone) for one in event.exhibits
    } == {"test"}


def test_the_example_of_the_guide_shows_each_kind() -> None:
    (example,) = blocks("docs/reference/exhibits.md")
    names: dict[str, Any] = {}
    exec(example.text, names)
    events = trained(names["train"])
    assert ending(events).outcome == "done"
    kinds = [{one.kind for one in event.exhibits} for event in events if type(event) is EpochDone]
    assert kinds == [{"histogram", "curve", "pictures", "table"}] * 3


REFUSED = {
    "behind the last report": (lambda report: [report(1, {"loss": 1.0}), report.show(table("a"))],
                               "goes out with the next report. Got none after a."),
    "too many": (lambda report: [report.show(table(f"a{i}")) for i in range(25)], "at most 24"),
    "of no split": (lambda report: report.show(table("a"), split="all"), "train, validation, test"),
    "no exhibit": (lambda report: report.show("a"), "takes a Histogram, Curve, Pictures or Table"),
}  # fmt: skip


@pytest.mark.parametrize("case", list(REFUSED))
def test_a_run_fails_that_shows(case: str) -> None:
    act, rule = REFUSED[case]

    def train(params: Any, seed: int, folder: Path, report: Report) -> None:
        act(report)

    end = ending(trained(train))
    assert end.outcome == "failed"
    assert end.failure == "BadExhibit"
    assert rule in end.reason
