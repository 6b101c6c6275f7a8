from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from tests.toy import TASKS, Toy
from trainers.engines import open_session
from trainers.errors import TaskMismatch
from trainers.jobs import Training
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


class Pooled(nn.Module):
    """A linear layer at each place of a sample."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 4)

    def forward(self, inputs: Tensor) -> Tensor:
        found: Tensor = self.layer(inputs).mean(1)
        return found


class Sized(Toy):
    """Samples of four places to train on, and of two to judge by."""

    def sources(self, device: torch.device) -> Mapping[str, TensorSource]:
        return {
            split: TensorSource(
                source.inputs.unsqueeze(1).repeat(1, 4 if split == "train" else 2, 1),
                source.targets,
            )
            for split, source in super().sources(device).items()
        }

    def trunk(self) -> nn.Module:
        return Pooled()


@pytest.mark.parametrize(["drop_last", "n_trained"], [(False, 12), (True, 10)])
def test_operations_are_those_of_the_samples_that_are_passed(
    drop_last: bool, n_trained: int
) -> None:
    session = open_session(Sized(), "cpu")
    training = Training(epochs=1, batch_size=5, drop_last=drop_last)
    heads = 2 * 4 * 5  # multiplications and additions, to five outputs
    trained, judged = 4 * (2 * 3 * 4) + heads, 2 * (2 * 3 * 4) + heads
    assert session.epoch_flops(TASKS, training) == 3 * n_trained * trained + 16 * judged


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
