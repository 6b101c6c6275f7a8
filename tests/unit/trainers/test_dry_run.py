"""One batch through every part finds what would fail, part by part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor, nn

from tests.partly import Partly
from tests.toy import Toy
from tests.unit.trainers.failing import FAILS, Failing
from trainers.engines import open_session
from trainers.errors import TaskMismatch
from trainers.jobs import Training
from trainers.problems import TensorSource
from trainers.protocol import TaskFunctions
from trainers.worker.dry_run import (
    dry_run,
    has_lone_sample,
    lone_sample_fails,
    refuse_unlabelled,
)

TRAINING = Training(epochs=1, batch_size=4)


def test_a_good_problem_has_no_findings() -> None:
    assert dry_run(open_session(Toy(), "cpu"), TRAINING) == []


@pytest.mark.parametrize(("fails", "where"), FAILS)
def test_what_fails_is_found_with_its_place(fails: str, where: str) -> None:
    found = dry_run(open_session(Failing(fails=fails), "cpu"), TRAINING)
    assert found
    assert all(f"LookupError: nothing here ({where}; failing.py, line " in f.told for f in found)
    splits = {finding.split for finding in found}
    assert splits == {
        "metric": {"validation", "test"},
        "test data": {"test"},
    }.get(fails, {"train", "validation", "test"})


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_a_split_without_any_label_of_a_task_is_found(split: str) -> None:
    session = open_session(Partly(bare=split), "cpu")
    told = [str(found) for found in dry_run(session, TRAINING) if found.split == split]
    (found,) = [text for text in told if "valid elements" in text]
    assert f"{split} split, so it needs valid elements of each task. Of task kind it has" in found
    with pytest.raises(TaskMismatch, match=rf"{split} split, .* Of task kind it has none"):
        refuse_unlabelled(session, TRAINING)


def test_labels_that_begin_late_are_labels() -> None:
    session = open_session(Partly(), "cpu")
    refuse_unlabelled(session, replace(TRAINING, batch_size=1, eval_batch_size=1))
    assert dry_run(session, replace(TRAINING, batch_size=1, eval_batch_size=1)) == []


@dataclass(frozen=True, kw_only=True)
class Odd(Toy):
    """A toy with an odd loss of task kind, and a metric of task flag that fails."""

    loss: object

    def functions(self, task: str) -> TaskFunctions:
        usual = super().functions(task)
        if task == "flag":
            return replace(usual, metrics=Failing(fails="metric").functions("kind").metrics)
        return replace(usual, loss=self.loss) if task == "kind" else usual


@pytest.mark.parametrize(
    ("loss", "why"),
    [
        (lambda output, _target: output, "Got the shape [4, 3]"),
        (lambda *_: 1.0, "Got a float"),
        (lambda output, _target: output.mean().reshape(1), "Got the shape [1]"),
        (lambda output, _target: output.sum() / 0, "must be finite. Got"),
        (lambda output, _target: output.detach().sum(), "must be differentiable"),
    ],
)
def test_an_odd_loss_is_found_and_hides_nothing_of_others(loss: object, why: str) -> None:
    found = dry_run(open_session(Odd(loss=loss), "cpu"), TRAINING)
    assert any(why in finding.told and "task kind" in finding.told for finding in found)
    assert any("metric error of task flag" in finding.told for finding in found)


@dataclass(frozen=True, kw_only=True)
class Normed(Toy):
    """A toy with batch normalisation and a number of training samples."""

    n_train: int
    norm: type[nn.Module] = nn.BatchNorm1d

    def sources(self, device: torch.device) -> Mapping[str, TensorSource]:
        found = dict(super().sources(device))
        kept = slice(self.n_train)
        targets = {task: target[kept] for task, target in found["train"].targets.items()}
        return {**found, "train": TensorSource(found["train"].inputs[kept], targets)}

    def trunk(self) -> nn.Module:
        norm: nn.Module = self.norm(4)
        return nn.Sequential(nn.Linear(3, 4), norm)


class PerSample(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(size)

    def forward(self, inputs: Tensor) -> Tensor:
        found: Tensor = self.norm(inputs)
        return found


@pytest.mark.parametrize(
    ("problem", "training", "fails"),
    [
        (Normed(n_train=9), TRAINING, True),
        (Normed(n_train=8), TRAINING, False),
        (Normed(n_train=10), TRAINING, False),
        (Normed(n_train=9), replace(TRAINING, drop_last=True), False),
        (Normed(n_train=9, norm=PerSample), TRAINING, False),
        (Normed(n_train=9), replace(TRAINING, batch_size=1), False),
    ],
)
def test_a_last_batch_of_one_sample_is_known_before_the_start(
    problem: Normed, training: Training, fails: bool
) -> None:
    found = lone_sample_fails(open_session(problem, "cpu"), training)
    assert bool(found) is fails
    assert not fails or "trunk" in found


@pytest.mark.parametrize(
    ("n_samples", "batch_size", "lone"), [(9, 4, True), (1, 4, False), (8, 4, False), (9, 9, False)]
)
def test_which_last_batch_is_one_sample(n_samples: int, batch_size: int, lone: bool) -> None:
    assert has_lone_sample(n_samples, Training(epochs=1, batch_size=batch_size)) is lone
