"""Every trainer keeps the promises that ship for trainers of others, and the promises notice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.tiny_trainer import Tiny
from tests.toy import Toy
from tests.unit.localising.spots import TRAINING as OF_SPOTS
from tests.unit.localising.spots import Spots
from tests.unit.relabelling.blobs import EPOCHS, Lied, noisy
from trainers.functions import Report, Trainer
from trainers.jobs import Training
from trainers.localising import Cam
from trainers.protocol import Problem
from trainers.relabelling import UncertaintyRelabel
from trainers.testing import TrainerContract


class TestTiny(TrainerContract):
    @pytest.fixture
    def trainer(self) -> Trainer:
        return Tiny()

    @pytest.fixture
    def problem(self) -> Problem:
        return Toy()


class TestUncertaintyRelabel(TrainerContract):
    @pytest.fixture
    def trainer(self) -> Trainer:
        return UncertaintyRelabel()

    @pytest.fixture
    def problem(self) -> Problem:
        return noisy()

    @pytest.fixture
    def with_other_truth(self) -> Any:
        return Lied(noisy())

    @pytest.fixture
    def params(self) -> Mapping[str, Any]:
        return {"epochs_per_round": EPOCHS, "lr": 0.05}

    @pytest.fixture
    def training(self) -> Training:
        return Training(epochs=2 * EPOCHS, batch_size=8)


class TestCam(TrainerContract):
    @pytest.fixture
    def trainer(self) -> Trainer:
        return Cam()

    @pytest.fixture
    def problem(self) -> Problem:
        return Spots()

    @pytest.fixture
    def with_other_truth(self) -> Problem:
        return Spots("shuffled")

    @pytest.fixture
    def training(self) -> Training:
        return OF_SPOTS


class Forgetful(Tiny):
    """Begins again behind a stop."""

    def train(
        self,
        problem: Problem,
        params: Mapping[str, Any],
        seed: int,
        folder: Path,
        report: Report,
        **more: Any,
    ) -> None:
        (folder / "state.json").unlink(missing_ok=True)
        super().train(problem, params, seed, folder, report, **more)


class Peeking(Tiny):
    """Goes by what is hidden."""

    def train(
        self,
        problem: Any,
        params: Mapping[str, Any],
        seed: int,
        folder: Path,
        report: Report,
        **more: Any,
    ) -> None:
        super().train(problem, {**params, "rate": problem.truth}, seed, folder, report, **more)


class Hiding(Toy):
    """The toy with a truth."""

    truth = 0.5


class HidingAnother(Hiding):
    """The same with another one."""

    truth = 0.25


def train_of(trainer: Trainer, folder: Path) -> Any:
    from trainers.testing._trainer import _Train

    return _Train(trainer, {}, Training(epochs=4, batch_size=4), folder)


def test_a_trainer_that_does_not_resume_is_noticed(tmp_path: Path) -> None:
    train = train_of(Forgetful(), tmp_path)
    with pytest.raises(AssertionError, match="behind its checkpoint"):
        TrainerContract().test_a_stop_after_any_epoch_changes_no_row(train, Toy())


def test_a_trainer_that_goes_by_hidden_truth_is_noticed(tmp_path: Path) -> None:
    trainer = Peeking()
    train = train_of(trainer, tmp_path)
    with pytest.raises(AssertionError):
        TrainerContract().test_hidden_truth_decides_nothing(
            train, Hiding(), HidingAnother(), trainer
        )
