"""What is refused while a study is planned: the rule, the finding, the way out."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import pytest

from tests.toy import Toy
from tests.unit.relabelling.blobs import Blobs
from trainers.functions import trainer_of
from trainers.problems.multimnist import MultiMnist
from trainers.relabelling import UncertaintyRelabel
from trainers.relabelling.settings import Settings, too_long


def refusal(problem: Any = None, **params: Any) -> str:
    trainer = UncertaintyRelabel()
    return trainer.refusal((problem or Blobs()).card, trainer.card.filled(params))


def test_it_is_found_by_its_name() -> None:
    assert trainer_of("uncertainty-relabel").card.name == "uncertainty-relabel"


def test_defaults_are_not_refused() -> None:
    assert refusal() == ""


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"dropout": 0.0}, 'all passes are the same. Raise it, or take `estimator = "softmax"`'),
        ({"estimator": "softmax", "score": "spread"}, '0 for all. Take `score = "given-label"`'),
        ({"estimator": "softmax", "score": "mutual-information"}, "makes one only"),
        ({"epoch_rule": "fixed", "fixed_epoch": 26}, "Got epoch 26 of 25. Lower it"),
    ],
)
def test_parameters_that_do_not_go_together(params: dict[str, Any], told: str) -> None:
    assert told in refusal(**params)


@pytest.mark.parametrize("method", ["to-end", "early-stopping"])
def test_who_looks_at_no_label_is_not_asked_how(method: str) -> None:
    assert refusal(method=method, dropout=0.0) == ""


def test_one_task_is_mended() -> None:
    assert 'left, right. Choose one: `tasks = ["left"]`' in refusal(MultiMnist())
    assert 'kind, flag. Choose one: `tasks = ["kind"]`' in refusal(Toy())


def test_a_task_without_classes_is_none() -> None:
    card = Blobs().card
    plain = replace(card, tasks=(replace(card.tasks[0], classes=None),))
    params = UncertaintyRelabel().card.filled({})
    assert "blobs: none. Take another" in UncertaintyRelabel().refusal(plain, params)


@pytest.mark.skipif(find_spec("cleanlab") is not None, reason="cleanlab is here")
def test_without_cleanlab_it_is_said_how_to_have_it() -> None:
    assert "Install `weighbridge[cleanlab]`" in refusal(method="cleanlab")


@pytest.mark.parametrize(
    ("params", "n_epochs"),
    [
        ({}, 50),
        ({"rounds": 3}, 100),
        ({"rounds": 3, "method": "to-end"}, 25),
        ({"epochs_per_round": 7}, 14),
    ],
)
def test_all_rounds_must_fit_into_the_epochs(params: dict[str, Any], n_epochs: int) -> None:
    settings = Settings.of(UncertaintyRelabel().card.filled(params))
    assert too_long(settings, n_epochs) == ""
    assert f"Set `epochs = {n_epochs}`" in too_long(settings, n_epochs - 1)
