"""What holds for every problem: its card, its data, and its network in training."""

from __future__ import annotations

import json

import pytest
import torch
from torch.utils._pytree import tree_leaves

from trainers.cards import ProblemCard
from trainers.engines import Session, open_session, promises
from trainers.jobs import Training
from trainers.protocol import Problem, Source
from trainers.randomness import Key
from trainers.worker.dry_run import dry_run

_CPU = torch.device("cpu")


class ProblemContract:
    """Promises of every problem; yours is what the fixture `problem` gives.

    Give it few samples and a small network, if it has options for these: it is loaded twice, and
    trained a few steps in every way.
    """

    @pytest.fixture
    def problem(self) -> Problem:
        raise NotImplementedError("Override the fixture `problem` in your subclass.")

    @pytest.fixture
    def session(self, problem: Problem) -> Session:
        """Data and network, as a worker has them."""
        return open_session(problem, "cpu")

    def test_it_meets_the_protocol_and_its_card_is_plain(self, problem: Problem) -> None:
        assert isinstance(problem, Problem)
        assert isinstance(problem.card, ProblemCard)
        assert problem.card == problem.card
        plain = problem.card.to_plain()
        assert json.loads(json.dumps(plain))["name"] == problem.card.name

    def test_its_data_is_as_large_as_the_card_says(self, problem: Problem) -> None:
        sizes = {split: source.size for split, source in problem.sources(_CPU).items()}
        assert sizes == problem.card.sizes

    def test_its_metrics_are_named_and_ordered_as_on_the_card(self, problem: Problem) -> None:
        for task in problem.card.tasks:
            metrics = problem.functions(task.name).metrics
            assert list(metrics) == [metric.name for metric in task.metrics]

    def test_every_worker_sees_the_same_samples(self, problem: Problem) -> None:
        first, again = (problem.sources(_CPU) for _ in range(2))
        for split, source in first.items():
            pairs = zip(_some(source), _some(again[split]), strict=True)
            assert all(_same(*pair) for pair in pairs), split

    def test_a_batch_of_every_split_goes_through_every_part(self, session: Session) -> None:
        assert dry_run(session, Training(epochs=1, batch_size=8)) == []

    def test_its_trunk_ends_in_feature_maps_if_the_card_says_so(self, problem: Problem) -> None:
        batch = next(iter(problem.sources(_CPU)["train"].batches(torch.arange(2), 2, Key("maps"))))
        with torch.no_grad():
            features = problem.trunk().eval()(batch.inputs)
        maps = isinstance(features, torch.Tensor) and features.ndim == 4
        assert maps or not problem.card.feature_maps

    def test_its_runs_would_be_right(self, session: Session) -> None:
        broken = [f"{of.name}: {of.found}" for of in promises(session) if of.broken]
        assert broken == []


def _some(source: Source) -> list[torch.Tensor]:
    """The tensors of a few samples."""
    order = torch.arange(min(source.size, 8))
    batches = source.batches(order, 4, Key("contract"))
    leaves = tree_leaves([(batch.inputs, dict(batch.targets)) for batch in batches])
    return [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]


def _same(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two tensors are equal; NaN, which is a missing number, equals NaN."""
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    return bool(((one == other) | ((one != one) & (other != other))).all())
