"""The values of a user's metrics become plain floats in both engines, or say what they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch

from tests.packs import a_job, a_pack
from tests.toy import TASKS, Toy
from trainers.engines import train
from trainers.engines.session import open_session
from trainers.events import EpochDone, Event, RunEnded
from trainers.jobs import Engine
from trainers.protocol import TaskFunctions


class Answering:
    """A metric whose value is what it is told to be."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def statistics(self, output: Any, target: Any) -> torch.Tensor:
        return torch.zeros(1)

    def value(self, total: torch.Tensor) -> Any:
        return self.answer


@dataclass(frozen=True, kw_only=True)
class Judged(Toy):
    """Every task is judged by the same answer."""

    answer: Any

    def functions(self, task: str) -> TaskFunctions:
        return replace(super().functions(task), metrics={"error": Answering(self.answer)})


def reported(engine: Engine, answer: Any) -> list[Event]:
    """All that training says of two runs."""
    pack = replace(a_pack(a_job(1), a_job(2)), engine=engine)
    return list(train(pack, open_session(Judged(answer=answer), "cpu")))


@pytest.mark.parametrize("engine", ["solo", "fused"])
@pytest.mark.parametrize(
    "answer", [0.5, np.float64(0.5), np.array(0.5), torch.tensor(0.5), torch.tensor([0.5])]
)
def test_scalars_become_plain_floats(engine: Engine, answer: Any) -> None:
    epochs = [event for event in reported(engine, answer) if isinstance(event, EpochDone)]
    values = [value for event in epochs for *_, metric, value in event.values if metric == "error"]
    assert values
    assert {(type(value), value) for value in values} == {(float, 0.5)}


@pytest.mark.parametrize("engine", ["solo", "fused"])
@pytest.mark.parametrize("answer", [None, "0.5", [0.5], torch.zeros(2), np.zeros(2)])
def test_what_is_no_number_is_refused(engine: Engine, answer: Any) -> None:
    ends = [event for event in reported(engine, answer) if isinstance(event, RunEnded)]
    assert {event.failure for event in ends} == {"BadMetric"}
    said = "The metric error of task level must be one number. `value` returned "
    assert all(event.reason.startswith(f"BadMetric: {said}") for event in ends)


@dataclass(frozen=True, kw_only=True)
class Summed(Toy):
    """A toy whose statistics, or losses, are what they may not be."""

    statistics: Any = None
    loss: Any = None

    def functions(self, task: str) -> TaskFunctions:
        usual = super().functions(task)
        if self.loss is not None:
            return replace(usual, loss=self.loss)
        metric = Answering(0.5)
        object.__setattr__(metric, "statistics", self.statistics)
        return replace(usual, metrics={"error": metric})


def failures(engine: Engine, problem: Toy, **changes: Any) -> set[str]:
    """What ended two runs."""
    pack = replace(a_pack(a_job(1, **changes), a_job(2, **changes)), engine=engine)
    events = train(pack, open_session(problem, "cpu"))
    return {event.reason.partition(" (")[0] for event in events if isinstance(event, RunEnded)}


@pytest.mark.parametrize("engine", ["solo", "fused"])
def test_statistics_that_are_no_tensor_are_refused(engine: Engine) -> None:
    assert failures(engine, Summed(statistics=lambda *_: 3.0)) == {
        "BadMetric: The statistics of metric error of task level must be a tensor of sums over "
        "samples. Got a float. Return `torch.stack` of them."
    }


@pytest.mark.parametrize("tasks", [TASKS, ("level",)])
@pytest.mark.parametrize("engine", ["solo", "fused"])
@pytest.mark.parametrize(
    ("loss", "got"),
    [
        (lambda output, _: output.flatten(), "the shape [6]"),
        (lambda output, _: output.mean().reshape(1), "the shape [1]"),
        (lambda *_: 0.5, "a float"),
        (lambda *_: None, "a NoneType"),
    ],
)
def test_a_loss_that_is_no_scalar_is_refused(
    engine: Engine, loss: Any, got: str, tasks: tuple[str, ...]
) -> None:
    assert failures(engine, Summed(loss=loss), tasks=tasks) == {
        "BadLoss: The loss of task level must be one number, the mean over the batch, as a tensor "
        f"without dimensions. Got {got}. Return `.mean()` of it."
    }
