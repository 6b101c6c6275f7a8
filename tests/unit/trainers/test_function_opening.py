"""A training function is found by its name, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainers.functions import (
    Called,
    call,
    open_function,
)
from trainers.jobs import ProblemRef
from trainers.problems import ProblemError


class TestOpening:
    def test_a_function_beside_the_study_is_found(self, tmp_path: Path) -> None:
        (tmp_path / "mine_a.py").write_text("def train(*args):\n    return 1.0\n")
        ref = ProblemRef(
            target="mine_a:train",
            options={"metric": "loss"},
            folder=str(tmp_path),
            caller="trainers.functions:call",
        )
        session = open_function(ref, "cpu")
        assert isinstance(session.train, Called)
        assert (session.train.function(), session.train.caller) == (1.0, call)
        assert session.metric == "loss"

    @pytest.mark.parametrize(
        ("target", "why"),
        [
            ("nowhere_at_all:train", "Module `nowhere_at_all` was not found"),
            ("mine_b:trian", "has no `trian`. Did you mean `train`"),
            ("mine_b:number", "must name a function. `mine_b:number` is 3"),
            ("mine_broken:train", "must import without an error.*ZeroDivisionError"),
        ],
    )
    def test_what_cannot_be_called_is_refused(self, target: str, why: str, tmp_path: Path) -> None:
        (tmp_path / "mine_b.py").write_text("number = 3\ndef train(*args): ...\n")
        (tmp_path / "mine_broken.py").write_text("1 / 0\n")
        ref = ProblemRef(
            target=target,
            options={"metric": "loss"},
            folder=str(tmp_path),
            caller="trainers.functions:call",
        )
        with pytest.raises(ProblemError, match=why):
            open_function(ref, "cpu")
