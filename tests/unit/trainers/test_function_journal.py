"""What a training function reported before its worker was killed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.trainers.calling import epochs, falling, trained
from trainers.events import EpochDone, RunEnded
from trainers.functions import (
    Report,
)


class TestJournal:
    """An attempt was killed behind step 3, and the database has heard of step 1 only."""

    @pytest.fixture
    def killed(self, tmp_path: Path) -> Path:
        def train(params: Any, seed: int, folder: Path, report: Report) -> None:
            falling(params, seed, folder, report)

        trained(train, tmp_path, until=3)
        return tmp_path

    def test_skipped_reports_are_told_before_those_that_follow(self, killed: Path) -> None:
        events = trained(falling, killed, recorded=1)
        assert epochs(events) == [2, 3, 4, 5]
        assert isinstance(events[0], EpochDone)
        assert events[0].values[0] == ("validation", "f", "loss", 0.5)

    def test_a_torn_line_is_passed_over(self, killed: Path) -> None:
        (path,) = killed.glob("*.reports")
        path.write_text(path.read_text() + '\n[4, 0.0, [["val')
        assert epochs(trained(falling, killed, recorded=1)) == [2, 3, 4, 5]

    def test_a_function_that_begins_again_is_taken_at_its_word(self, killed: Path) -> None:
        (killed / "run-1" / "state.json").unlink()
        assert epochs(trained(falling, killed, recorded=3)) == [1, 2, 3, 4, 5]


class TestNothingLeft:
    """A worker was killed behind the last report: the next call has nothing more to say."""

    @pytest.fixture
    def complete(self, tmp_path: Path) -> Path:
        trained(falling, tmp_path)
        return tmp_path

    def test_what_nobody_knows_is_told(self, complete: Path) -> None:
        events = trained(falling, complete, recorded=3)
        assert epochs(events) == [4, 5]
        assert isinstance(events[-1], RunEnded)
        assert (events[-1].outcome, events[-1].epoch) == ("done", 5)

    def test_where_all_is_known_the_run_ends_there(self, complete: Path) -> None:
        (end,) = trained(falling, complete, recorded=5)
        assert isinstance(end, RunEnded)
        assert (end.outcome, end.epoch) == ("done", 5)

    def test_without_any_report_it_fails(self, complete: Path) -> None:
        for path in complete.glob("*.reports"):
            path.unlink()
        (end,) = trained(falling, complete)
        assert isinstance(end, RunEnded)
        assert (end.outcome, end.epoch) == ("failed", 0)
        assert "at least once" in end.reason


class TestOnceMore:
    """A function makes the report of its checkpoint again, as a kill may have come before it."""

    def train(self, params: Any, seed: int, folder: Path, report: Report) -> None:
        state = folder / "state"
        if state.exists():
            report(int(state.read_text()), {"loss": 1.0}, samples=8)
        for step in range(report.step + 1, 4):
            state.write_text(str(step))
            report(step, {"loss": 1.0}, samples=8)

    def test_it_is_not_counted_again(self, tmp_path: Path) -> None:
        trained(self.train, tmp_path, until=2)
        assert epochs(trained(self.train, tmp_path, recorded=2)) == [3]

    def test_what_it_was_then_is_told_if_nobody_knows_it(self, tmp_path: Path) -> None:
        first = trained(self.train, tmp_path, until=2)
        again = trained(self.train, tmp_path, recorded=1)
        assert epochs(again) == [2, 3]
        assert again[0] == first[1]

    def test_one_that_never_arrived_is_made(self, tmp_path: Path) -> None:
        trained(self.train, tmp_path, until=2)
        (tmp_path / "run-1" / "state").write_text("3")
        assert epochs(trained(self.train, tmp_path, recorded=2)) == [3]
