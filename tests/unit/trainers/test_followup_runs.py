"""Runs of a follow-up: heads learn on corrupted images, the trunk stays as another run left it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from trainers.cards import MetricCard, ProblemCard, TaskCard
from trainers.engines import Session, open_session, train
from trainers.engines.corrupted import on_corrupted
from trainers.events import CheckpointWritten, EpochDone, Event, NetworksKept
from trainers.jobs import Corruptions, InitialNetwork, Job, Pack, ProblemRef, Training
from trainers.keeping import networks
from trainers.problems import Accuracy, TensorSource, cross_entropy
from trainers.protocol import Source, TaskFunctions
from trainers.randomness import Key

KEY = Key("test")
TASKS = ("bright", "dark")
NOISE = Corruptions(kinds=("gaussian_noise", "contrast"), severities=(1, 4))
PACK = Pack(
    problem=ProblemRef(target="pictures"),
    training=Training(epochs=2, batch_size=4),
    seed=0,
    until_epoch=2,
    jobs=(Job(run=1, token=1, weighting="ew", tasks=TASKS, lr=0.01, select_by=()),),
)


class Pictures:
    """Grey images 8 x 8 and a trunk with BatchNorm and dropout."""

    card = ProblemCard(
        name="pictures",
        title="Pictures",
        kind="synthetic",
        source="made here",
        data_version=1,
        tasks=tuple(
            TaskCard(
                name=task,
                title=task,
                loss="cross-entropy",
                metrics=(MetricCard(name="accuracy", title="Accuracy", direction="max"),),
            )
            for task in TASKS
        ),
        sizes={"train": 12, "validation": 6, "test": 6},
        network="a small one",
        images="labelled",
    )

    def sources(self, _device: torch.device) -> dict[str, Source]:
        return {split: _split(n, seed) for seed, (split, n) in enumerate(self.card.sizes.items())}

    def trunk(self) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.BatchNorm1d(8), nn.Dropout(0.5))

    def head(self, _task: str) -> nn.Module:
        return nn.Linear(8, 2)

    def functions(self, _task: str) -> TaskFunctions:
        return TaskFunctions(loss=cross_entropy, metrics={"accuracy": Accuracy()})


def _split(n: int, seed: int) -> TensorSource:
    images = torch.rand(n, 1, 8, 8, generator=torch.Generator().manual_seed(seed))
    labels = (images.mean((1, 2, 3)) > 0.5).long()
    return TensorSource(inputs=images, targets={"bright": labels, "dark": 1 - labels})


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setenv("WEIGHBRIDGE_CACHE", str(tmp_path))
    return open_session(Pictures(), "cpu")


def trained(pack: Pack, session: Session) -> list[Event]:
    return [*train(pack, session)]


def kept(events: Sequence[Event]) -> InitialNetwork:
    (file,) = next(event.files for event in events if isinstance(event, NetworksKept))
    return InitialNetwork(path=file.path, sha256=file.sha256)


def state(of: InitialNetwork) -> dict[str, Tensor]:
    return dict(networks.load(of.path, sha256=of.sha256)["network"])


@pytest.fixture
def parent(session: Session, tmp_path: Path) -> InitialNetwork:
    return kept(trained(replace(PACK, checkpoints=str(tmp_path)), session))


def child(parent: InitialNetwork, folder: Path, **keys: object) -> Pack:
    job = replace(PACK.jobs[0], run=2, initial=parent)
    return replace(PACK, jobs=(job,), checkpoints=str(folder), corruptions=NOISE, **keys)  # type: ignore[arg-type]


def test_heads_learn_and_the_trunk_with_its_statistics_stays(
    session: Session, parent: InitialNetwork, tmp_path: Path
) -> None:
    before, after = state(parent), state(kept(trained(child(parent, tmp_path), session)))
    assert before.keys() == after.keys()
    for name, value in before.items():
        assert torch.equal(value, after[name]) == name.startswith("trunk."), name


def test_the_last_epoch_is_judged_on_every_kind_and_severity(
    session: Session, parent: InitialNetwork, tmp_path: Path
) -> None:
    first, last = (
        {(split, task, metric) for split, task, metric, _ in event.values}
        for event in trained(child(parent, tmp_path), session)
        if isinstance(event, EpochDone)
    )
    assert last - first == {
        ("test", task, f"accuracy/{kind}/{severity}")
        for task in TASKS
        for kind, severity in NOISE.conditions
    }


def test_what_it_costs_is_no_backward_pass_through_the_trunk_and_all_that_is_judged(
    session: Session, parent: InitialNetwork, tmp_path: Path
) -> None:
    events = trained(child(parent, tmp_path), session)
    costs = [(event.grad_evals, event.flops) for event in events if isinstance(event, EpochDone)]
    trunk, heads = 2 * 64 * 8, 2 * (2 * 8 * 2)
    epoch = 12 * (trunk + 3 * heads) + 12 * (trunk + heads)
    assert costs == [(0, epoch), (0, epoch + 4 * 6 * (trunk + heads))]


def test_it_comes_out_the_same_however_often_it_is_interrupted(
    session: Session, parent: InitialNetwork, tmp_path: Path
) -> None:
    whole = trained(child(parent, tmp_path), session)
    half = trained(child(parent, tmp_path, until_epoch=1, checkpoint_s=0.0), session)
    resume = tuple(e.checkpoint for e in half if isinstance(e, CheckpointWritten))
    rest = child(parent, tmp_path)
    rest = replace(rest, jobs=(replace(rest.jobs[0], resume=resume),))
    again = [*half, *trained(rest, open_session(Pictures(), "cpu"))]
    values = [[e.values for e in events if isinstance(e, EpochDone)] for events in (whole, again)]
    assert values[0] == values[1]


def test_other_runs_of_the_worker_see_nothing_of_it(
    session: Session, parent: InitialNetwork, tmp_path: Path
) -> None:
    trained(child(parent, tmp_path), session)
    pack = replace(PACK, checkpoints=str(tmp_path))
    assert kept(trained(pack, session)).sha256 == parent.sha256


def test_seeds_draw_other_ways_for_training_and_the_same_for_validation(session: Session) -> None:
    one, other = (on_corrupted(session, NOISE, seed) for seed in (0, 1))
    assert on_corrupted(session, NOISE, 0) is one
    for split, same in (("train", False), ("validation", True), ("test", True)):
        first, second = (
            next(of.sources[split].batches(None, 12, KEY)).inputs for of in (one, other)
        )
        assert torch.equal(first, second) == same, split
    clean = next(session.sources["test"].batches(None, 12, KEY)).inputs
    assert torch.equal(next(one.sources["test"].batches(None, 12, KEY)).inputs, clean)
