"""What a user's problem raises names its part, its task and its line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.packs import a_job, a_pack, told
from tests.toy import Toy
from tests.unit.trainers.failing import FAILS, Failing
from tests.unit.trainers.failing import fails as _fails
from trainers.engines import open_session, train
from trainers.parts import described, mark, part, part_of, place_of

HERE = Path(__file__).name


@pytest.mark.parametrize(("fails", "where"), FAILS)
@pytest.mark.parametrize("engine", ["solo", "fused"])
def test_a_failure_names_the_part_and_the_line(engine: Any, fails: str, where: str) -> None:
    session = open_session(Failing(fails=fails), "cpu")
    pack = replace(a_pack(a_job(1), a_job(2), epochs=1), engine=engine)
    for run in told(train(pack, session)).values():
        assert run.end.outcome == "failed"
        line = _fails.__code__.co_firstlineno + 1
        assert run.end.reason == f"LookupError: nothing here ({where}; failing.py, line {line})"
        assert f"It came from the {where}." in run.end.detail


def test_the_innermost_saying_stands() -> None:
    with pytest.raises(LookupError) as raised, part("trunk"), part("loss", "kind"):
        _fails()
    assert part_of(raised.value) == "loss of task kind"
    mark(raised.value, "data")
    assert part_of(raised.value) == "loss of task kind"


def test_what_nobody_has_marked_has_its_line_only() -> None:
    with pytest.raises(LookupError) as raised:
        _fails()
    assert part_of(raised.value) == ""
    assert place_of(raised.value).startswith("failing.py, line ")


def test_code_of_libraries_and_ours_is_no_line_of_the_users() -> None:
    def of_ours() -> None:
        open_session(Toy(), "no device")

    def of_torch() -> None:
        torch.ones(2, 3) @ torch.ones(2, 3)

    for raising in (of_ours, of_torch):
        call: Callable[[], None] = raising
        with pytest.raises(RuntimeError) as raised:
            call()
        line = raising.__code__.co_firstlineno + 1
        assert described(raised.value).endswith(f"({HERE}, line {line})")
