"""`label_noise`: labels of training and validation that are wrong on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.contract.engine_repeating import by_epoch
from tests.contract.fused_cases import fused
from tests.contract.test_fewer_labels import Streamed
from tests.packs import a_job, a_pack, told
from tests.toy import SIZES, Toy
from trainers.engines import open_session, train
from trainers.jobs import ProblemRef
from trainers.problems import TensorSource, build, names
from trainers.problems._fewer_labels import FewerLabels
from trainers.problems._noise import Noise, noise_key
from trainers.problems._noisy_labels import NoisyLabels
from trainers.problems._some_tasks import SomeTasks
from trainers.problems.errors import BadOption, BadShape
from trainers.protocol import true_labels
from trainers.randomness import Key

pytestmark = pytest.mark.usefixtures("one_thread")

ENGINES = {"solo": train, "fused": fused}
CPU = torch.device("cpu")
KEY = Key("a split")
THIRD = Noise(tasks=("kind", "flag"), kind="symmetric", rate=1 / 3)
"""Of twelve samples four labels of each, of eight three."""
RATES = st.floats(0, 1, exclude_max=True)


@dataclass(frozen=True, kw_only=True)
class Labelled(Toy):
    """Some targets are others than the toy's."""

    others: Mapping[str, Mapping[str, Tensor]] = field(default_factory=dict)

    def sources(self, device: torch.device) -> Mapping[str, TensorSource]:
        return {
            split: replace(source, targets={**source.targets, **self.others.get(split, {})})
            for split, source in super().sources(device).items()
        }


def given_labels(problem: Any) -> dict[str, dict[str, Tensor]]:
    """Split and task to all labels, in the order they are stored in."""
    found = {}
    for split, source in problem.sources(CPU).items():
        (batch,) = source.batches(None, 100, Key("t"))
        found[split] = dict(batch.targets)
    return found


TRUE = given_labels(Toy())
GIVEN = given_labels(NoisyLabels(Toy(), THIRD))


def test_training_and_validation_have_so_many_wrong_labels_and_test_has_none() -> None:
    for task in THIRD.tasks:
        wrong = {split: int((GIVEN[split][task] != TRUE[split][task]).sum()) for split in SIZES}
        assert wrong == {"train": 4, "validation": 3, "test": 0}
        assert GIVEN["train"][task].dtype == TRUE["train"][task].dtype
    for split in SIZES:
        assert torch.equal(GIVEN[split]["level"], TRUE[split]["level"])


@given(st.integers(1, 300), st.integers(2, 12), RATES, st.sampled_from(["symmetric", "pair"]))
def test_a_rate_is_the_share_of_wrong_labels(
    n: int, n_classes: int, rate: float, kind: Any
) -> None:
    noise = Noise(tasks=("kind",), kind=kind, rate=rate)
    true = torch.arange(n) % n_classes
    found = noise.draws(KEY, n, n_classes).given(true, torch.arange(n), n_classes)
    assert int((found != true).sum()) == noise.n_wrong(n)
    assert abs(noise.n_wrong(n) - rate * n) <= 0.5 + 1e-9
    assert {*found.tolist()} <= {*range(n_classes)}
    if kind == "pair":
        wrong = found != true
        assert torch.equal(found[wrong], (true[wrong] + 1) % n_classes)


@given(st.integers(1, 300), RATES, RATES, st.sampled_from(["symmetric", "pair"]))
def test_labels_of_a_smaller_rate_are_wrong_at_a_larger_one_too(
    n: int, one: float, other: float, kind: Any
) -> None:
    less, more = (
        Noise(tasks=("kind",), kind=kind, rate=rate).draws(KEY, n, 5).of_sample
        for rate in sorted([one, other])
    )
    assert torch.equal(less[less > 0], more[less > 0])


def test_symmetric_noise_gives_all_other_classes_alike() -> None:
    n = 4_000
    noise = Noise(tasks=("kind",), kind="symmetric", rate=0.9)
    found = noise.draws(KEY, n, 4).given(torch.zeros(n, dtype=torch.int64), torch.arange(n), 4)
    assert torch.bincount(found)[1:].min() > 1_100


def test_a_matrix_is_drawn_from_by_row() -> None:
    rows = ((0.7, 0.3, 0.0), (0.0, 1.0, 0.0), (0.25, 0.25, 0.5))
    noise, n = Noise(tasks=("kind",), kind="matrix", rows=rows), 3_000
    draws = noise.draws(KEY, n, 3)
    for true, row in enumerate(rows):
        found = draws.given(torch.full((n,), true), torch.arange(n), 3)
        shares = torch.bincount(found, minlength=3) / n
        torch.testing.assert_close(shares, torch.tensor(row), atol=0.03, rtol=0)
        assert (shares[torch.tensor(row) == 0] == 0).all()


def test_which_labels_are_wrong_hangs_on_the_data_and_the_noise_alone() -> None:
    addresses = [noise_key("1", 0), noise_key("2", 0), noise_key("1", 1), noise_key({"a": 1}, 0)]
    assert len({key.seed for key in addresses}) == len(addresses)
    assert noise_key("1", 0) == noise_key("1", 0)
    other = given_labels(NoisyLabels(Toy(), replace(THIRD, seed=1)))
    assert not torch.equal(other["train"]["kind"], GIVEN["train"]["kind"])


def test_tasks_and_splits_draw_apart() -> None:
    large = Noise(tasks=("a", "b"), kind="pair", rate=0.5)
    draws = [large.draws(KEY / task / split, 100, 3) for task in "ab" for split in ("x", "y")]
    assert len({tuple(drawn.of_sample.tolist()) for drawn in draws}) == len(draws)


def test_streamed_labels_are_those_in_memory_in_any_order() -> None:
    source = NoisyLabels(Streamed(), THIRD).sources(CPU)["train"]
    assert getattr(source, "streamed", False)
    order = torch.randperm(12)
    batches = [*source.batches(order, 5, Key("t"))]
    for task in THIRD.tasks:
        found = torch.cat([batch.targets[task] for batch in batches])
        assert torch.equal(found, GIVEN["train"][task][order])


def test_missing_labels_stay_missing() -> None:
    kind, flag = TRUE["train"]["kind"].clone(), TRUE["train"]["flag"].clone()
    kind[:3], flag[:3] = -1, torch.nan
    found = given_labels(
        NoisyLabels(Labelled(others={"train": {"kind": kind, "flag": flag}}), THIRD)
    )["train"]
    assert torch.equal(found["kind"] == -1, kind == -1)
    assert torch.equal(found["flag"].isnan(), flag.isnan())
    assert torch.equal(found["kind"][3:], GIVEN["train"]["kind"][3:])


def events(engine: Any, problem: Any) -> Any:
    jobs = (a_job(1), a_job(2, "uw", lr=0.02), a_job(3, tasks=("kind",)), a_job(4, tasks=("kind",)))
    return by_epoch(told(engine(a_pack(*jobs), open_session(problem, "cpu"))))


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_runs_go_by_the_labels_that_are_given(engine: Any) -> None:
    never_true = Labelled(others={split: GIVEN[split] for split in ("train", "validation")})
    assert events(engine, NoisyLabels(Toy(), THIRD)) == events(engine, never_true)
    assert events(engine, NoisyLabels(Streamed(), THIRD)) == events(engine, never_true)


@settings(max_examples=3)
@given(st.integers(1, 1_000))
def test_another_hidden_truth_changes_no_run(seed: int) -> None:
    """Other labels are wrong, so that the true ones differ, and those that are given do not."""
    other = replace(THIRD, seed=seed)
    truth: dict[str, dict[str, Tensor]] = {}
    for split in ("train", "validation"):
        truth[split] = {}
        for task, n_classes in (("kind", 3), ("flag", 2)):
            key = noise_key("1", seed) / task / split
            steps = other.draws(key, SIZES[split], n_classes).of_sample
            labels = (GIVEN[split][task].long() - steps) % n_classes
            truth[split][task] = labels.to(GIVEN[split][task].dtype)
    hidden = NoisyLabels(Labelled(others=truth), other)
    assert given_labels(hidden)["train"]["kind"].equal(GIVEN["train"]["kind"])
    assert events(train, hidden) == events(train, NoisyLabels(Toy(), THIRD))


@pytest.mark.parametrize("split", ["train", "validation"])
@pytest.mark.parametrize("of", [Toy, Streamed])
def test_who_judges_is_told_the_true_labels(of: Any, split: str) -> None:
    noisy = NoisyLabels(of(), THIRD)
    for problem in (noisy, FewerLabels(noisy, {"kind": 0.5})):
        for task in THIRD.tasks:
            found = true_labels(problem, task, split)
            assert found is not None
            assert torch.equal(found, TRUE[split][task].long())


def test_without_noise_nobody_knows_of_other_labels() -> None:
    noisy = NoisyLabels(Toy(), THIRD)
    assert true_labels(noisy, "level", "train") is true_labels(noisy, "kind", "test") is None
    assert true_labels(SomeTasks(Toy(), ("kind",)), "kind", "train") is None


def test_noise_and_fewer_labels_go_together() -> None:
    both = FewerLabels(NoisyLabels(Toy(), THIRD), {"kind": 0.5})
    kind = given_labels(both)["train"]["kind"]
    assert int((kind != -1).sum()) == 6
    assert torch.equal(kind[kind != -1], GIVEN["train"]["kind"][kind != -1])
    assert [text[:15] for text in both.card.caveats[-3:]] == [
        "Task kind has w",
        "Task flag has w",
        "Of the 12 train",
    ]


def test_all_tasks_with_classes_of_all_problems_can_have_noise() -> None:
    with_noise = set()
    # the tasks of one are known by its file, and one has noise by itself
    for name in {*names()} - {"table", "noisy-digits"}:
        card = build(ProblemRef(target=name)).card
        if tasks := [task.name for task in card.tasks if task.classes]:
            noise = {"tasks": tasks, "kind": "symmetric", "rate": 0.2}
            noisy = build(ProblemRef(target=name, label_noise=noise)).card
            assert noisy.data_version != card.data_version
            with_noise.add(name)
    assert with_noise >= {"celeba", "diamonds", "digits", "multimnist", "multimnist-60k", "yeast"}


@pytest.mark.parametrize(
    ("split", "kind", "said"),
    [
        ("train", torch.full((12,), 3), r"classes 0 to 2, .* Task kind has 3\. Mend"),
        ("validation", torch.full((8,), -2), r"Task kind has -2\."),
        ("train", torch.full((12,), 0.5), r"Task kind has 0\.5\."),
        (
            "train",
            torch.zeros(12, 2, dtype=torch.int64),
            r"Task kind has \[12, 2\] for 12",
        ),
    ],
)
def test_labels_that_cannot_have_noise_are_refused(split: str, kind: Tensor, said: str) -> None:
    noise = Noise(tasks=("kind",), kind="symmetric", rate=0.5)
    with pytest.raises(BadShape, match=said):
        NoisyLabels(Labelled(others={split: {"kind": kind}}), noise).sources(CPU)


def test_noise_that_leaves_a_class_without_labels_is_refused() -> None:
    """Each class becomes the next, and there is none before the last."""
    rows = ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0))
    labels = torch.tensor([0] * 11 + [2])
    hidden = Labelled(others={"train": {"kind": labels}})
    with pytest.raises(BadOption, match="Class 2 of task kind vanishes: all of its 1 labels"):
        NoisyLabels(hidden, Noise(tasks=("kind",), kind="matrix", rows=rows)).sources(CPU)
