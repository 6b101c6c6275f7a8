from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch

from tests.toy import Toy
from trainers.engines import open_session
from trainers.errors import TaskMismatch
from trainers.problems import MeanAbsoluteError, TensorSource
from trainers.protocol import TaskFunctions


class Incomplete(Toy):
    def sources(self, device: torch.device) -> Mapping[str, TensorSource]:
        return {"train": super().sources(device)["train"]}


class Empty(Toy):
    def sources(self, device: torch.device) -> Mapping[str, TensorSource]:
        return {**super().sources(device), "test": TensorSource(torch.zeros(0, 3), {})}


class Misnamed(Toy):
    def functions(self, task: str) -> TaskFunctions:
        return replace(super().functions(task), metrics={"mae": MeanAbsoluteError()})


def test_data_is_loaded_for_the_device() -> None:
    session = open_session(Toy(), "cpu")
    assert set(session.sources) == {"train", "validation", "test"}
    assert session.device == torch.device("cpu")


@pytest.mark.parametrize("problem", [Incomplete(), Empty()], ids=["missing", "empty"])
def test_every_split_must_have_samples(problem: Toy) -> None:
    with pytest.raises(TaskMismatch, match="Return all three"):
        open_session(problem, "cpu")


def test_metrics_must_be_those_of_the_card() -> None:
    with pytest.raises(TaskMismatch, match=r"card says \['error'\], `functions` gives \['mae'\]"):
        open_session(Misnamed(), "cpu")


def test_nobody_asks_to_stop_unless_told() -> None:
    assert open_session(Toy(), "cpu").stop_requested() is False


def test_a_wish_to_stop_is_passed_on() -> None:
    assert open_session(Toy(), "cpu", lambda: True).stop_requested() is True
