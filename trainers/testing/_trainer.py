"""What holds for every trainer: its card, its reports, and that a stop changes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from trainers.events import EpochDone, RunEnded
from trainers.functions import Trainer, train_function
from trainers.functions._open import trainer_session
from trainers.jobs import Job, Pack, ProblemRef, Training
from trainers.protocol import Problem
from trainers.trainer_card import TrainerCard

Row = tuple[int, int, tuple[tuple[str, str, float], ...]]
"""Step, round, and (split, metric, value)."""


class TrainerContract:
    """Promises of every trainer; yours, and what it trains, are what the fixtures give.

    Give it few samples, a small network and few epochs: it is trained about four times.
    """

    @pytest.fixture
    def trainer(self) -> Trainer:
        raise NotImplementedError("Override the fixture `trainer` in your subclass.")

    @pytest.fixture
    def problem(self) -> Problem:
        raise NotImplementedError("Override the fixture `problem` in your subclass.")

    @pytest.fixture
    def with_other_truth(self) -> Problem | None:
        """The problem with other hidden truth, all else as it is; None: it hides none."""
        return None

    @pytest.fixture
    def params(self) -> Mapping[str, Any]:
        """Parameters that are not the card's defaults."""
        return {}

    @pytest.fixture
    def training(self) -> Training:
        """Of a study: what the epochs, batches and threads are."""
        return Training(epochs=4, batch_size=16)

    @pytest.fixture
    def train(
        self, trainer: Trainer, params: Mapping[str, Any], training: Training, tmp_path: Path
    ) -> _Train:
        """Trains in a folder of a name."""
        return _Train(trainer, params, training, tmp_path)

    def test_its_card_is_plain(self, trainer: Trainer) -> None:
        assert isinstance(trainer.card, TrainerCard)
        assert trainer.card == trainer.card
        assert json.loads(json.dumps(asdict(trainer.card)))["name"] == trainer.card.name

    def test_it_can_train_what_it_is_given(
        self, trainer: Trainer, problem: Problem, params: Mapping[str, Any]
    ) -> None:
        assert trainer.refusal(problem.card, trainer.card.filled(params)) == ""

    def test_every_report_has_what_trials_may_be_ranked_by(
        self, train: _Train, problem: Problem, trainer: Trainer
    ) -> None:
        wanted = {one.metric for one in trainer.card.objectives if not one.uses_truth}
        rows = train.rows(problem, "once")
        assert rows
        for _, _, values in rows:
            assert wanted <= {metric for split, metric, _ in values if split == "validation"}

    def test_the_same_seed_gives_the_same_rows(self, train: _Train, problem: Problem) -> None:
        assert train.rows(problem, "once") == train.rows(problem, "again")

    def test_a_stop_after_any_epoch_changes_no_row(self, train: _Train, problem: Problem) -> None:
        whole = train.rows(problem, "once")
        parts: list[Row] = []
        for step, *_ in whole:
            here = train.rows(problem, "in parts", until=step)
            assert [row[0] for row in here] == [step], "it goes on behind its checkpoint"
            parts += here
        assert parts == whole

    def test_hidden_truth_decides_nothing(
        self,
        train: _Train,
        problem: Problem,
        with_other_truth: Problem | None,
        trainer: Trainer,
    ) -> None:
        if with_other_truth is None:
            pytest.skip("this problem hides no truth")
        judged = {metric.name for metric in trainer.card.metrics if metric.uses_truth}
        found = [
            [
                (step, of_round, [value for value in values if value[1] not in judged])
                for step, of_round, values in train.rows(one, name)
            ]
            for one, name in ((problem, "true"), (with_other_truth, "other"))
        ]
        assert found[0] == found[1]


class _Train:
    """Calls a trainer as a worker does, and knows what it has reported as a database does."""

    def __init__(
        self, trainer: Trainer, params: Mapping[str, Any], training: Training, home: Path
    ) -> None:
        self._trainer, self._params, self._training = trainer, params, training
        self._home, self._recorded = home, dict[str, int]()

    def rows(self, problem: Problem, name: str, *, until: int | None = None) -> list[Row]:
        """What it reports.

        Args:
            name: Of the run; one of an earlier call goes on.
            until: The step at which it is stopped; None: at the last one.
        """
        pack = Pack(
            problem=ProblemRef(target="contract"),
            training=self._training,
            seed=0,
            until_epoch=self._training.epochs if until is None else until,
            jobs=(self._job(name),),
            checkpoints=str(self._home),
        )
        metric = self._trainer.card.objectives[0].metric
        session = trainer_session(self._trainer, problem, [metric], "cpu")
        *told, end = train_function(pack, session)
        assert isinstance(end, RunEnded)
        assert end.outcome in ("done", "paused"), end.detail
        rows = [(of.epoch, of.round, of.values) for of in told if isinstance(of, EpochDone)]
        self._recorded[name] = max([self._recorded.get(name, 0), *(step for step, *_ in rows)])
        return [
            (step, of_round, tuple((split, metric, value) for split, _, metric, value in values))
            for step, of_round, values in rows
        ]

    def _job(self, name: str) -> Job:
        return Job(
            run=1,
            token=1,
            weighting="contract",
            tasks=(self._trainer.card.name,),
            lr=0.0,
            hyper=self._params,
            key=name,
            recorded=self._recorded.get(name, 0),
        )
