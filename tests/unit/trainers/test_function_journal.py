"""What a training function reported before its worker was killed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.trainers.calling import epochs, falling, trained
from trainers.events import EpochDone
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
