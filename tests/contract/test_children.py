"""A run that goes on from another one's checkpoint has its state, and parameters of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contract.engine_repeating import trained
from tests.contract.fused_cases import fused
from tests.packs import EPOCHS, Engine, a_job, a_pack, hyper_for
from tests.toy import TASKS
from trainers.engines import train
from trainers.events import NetworksKept
from trainers.jobs import Checkpoint, Job, Pack

pytestmark = pytest.mark.usefixtures("one_thread")
BORN = 2
PARENT, CHILD, OTHER = 1, 5, 2


@pytest.fixture(params=[train, fused], ids=["solo", "fused"])
def engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.param
    return found


def parents(name: str, folder: Path, **changes: Any) -> Pack:
    """Two runs up to the rung, the first of which is to have a child."""
    jobs = (a_job(PARENT, name, **changes), a_job(OTHER, name, lr=0.02, **changes))
    return a_pack(*jobs, checkpoints=folder, until_epoch=BORN)


def reached(engine: Engine, pack: Pack) -> Checkpoint:
    (saved,) = trained(engine, pack)[PARENT].checkpoints
    return saved.checkpoint


def born(saved: Checkpoint, name: str, run: int = CHILD, **changes: Any) -> tuple[Job, Checkpoint]:
    child = a_job(run, name, born=BORN, **{"address": f"job {PARENT}", **changes})
    return child, replace(saved, of_run=PARENT)


@pytest.mark.parametrize("name", ["ew", "uw", "dwa"])
def test_a_child_alike_goes_on_as_its_parent_does(
    engine: Engine, name: str, tmp_path: Path
) -> None:
    pack = parents(name, tmp_path)
    saved = reached(engine, pack)
    parent = replace(pack.jobs[0], resume=(saved,))
    child, of_parent = born(saved, name)
    whole = replace(pack, jobs=(parent, replace(child, resume=(of_parent,))), until_epoch=EPOCHS)
    found = trained(engine, whole)
    assert list(found[CHILD].epochs) == [*range(BORN + 1, EPOCHS + 1)]
    assert found[CHILD].epochs == found[PARENT].epochs


@pytest.mark.parametrize(
    "changes",
    [{"lr": 0.01}, {"weight_decay": 0.3}, {"hyper": {"temperature": 9.0}}],
    ids=["lr", "weight decay", "temperature"],
)
def test_what_a_child_changes_counts_from_its_birth(
    engine: Engine, changes: dict[str, Any], tmp_path: Path
) -> None:
    """As if the parent had changed so at the rung, which is another run of its number here."""
    name = "uw-so"
    assert hyper_for(name) != {"temperature": 9.0}
    pack = parents(name, tmp_path)
    saved = reached(engine, pack)
    child, of_parent = born(saved, name, **changes)
    alike, _ = born(saved, name, run=CHILD + 1)
    pair = (replace(child, resume=(of_parent,)), replace(alike, resume=(of_parent,)))
    found = trained(engine, replace(pack, jobs=pair, until_epoch=EPOCHS))
    changed = replace(pack.jobs[0], resume=(saved,), **changes)
    other = replace(pack.jobs[0], run=CHILD + 1, resume=(of_parent,))
    expected = trained(engine, replace(pack, jobs=(changed, other), until_epoch=EPOCHS))
    assert found[CHILD].epochs == expected[PARENT].epochs
    assert found[CHILD].epochs != found[CHILD + 1].epochs


def test_both_engines_train_one_child(tmp_path: Path) -> None:
    pack = parents("ew", tmp_path)
    saved = reached(train, pack)
    child, of_parent = born(saved, "ew", weight_decay=0.3, lr=0.01)
    one = replace(pack, jobs=(replace(child, resume=(of_parent,)),), until_epoch=EPOCHS)
    solo, stacked = trained(train, one), trained(fused, one)
    for epoch, values in solo[CHILD].epochs.items():
        assert stacked[CHILD].epochs[epoch] == pytest.approx(values, rel=1e-4)


def test_networks_of_a_child_are_of_its_own_epochs(engine: Engine, tmp_path: Path) -> None:
    by_error = tuple((task, "error", "min") for task in TASKS)
    pack = parents("ew", tmp_path, select_by=by_error)
    saved = reached(engine, pack)
    child, of_parent = born(saved, "ew", select_by=by_error)
    twin = replace(child, run=CHILD + 1)
    pair = tuple(replace(job, resume=(of_parent,)) for job in (child, twin))
    told = trained(engine, replace(pack, jobs=pair, until_epoch=EPOCHS))[CHILD]
    (kept,) = [event for event in told.events if isinstance(event, NetworksKept)]
    assert kept.files
    assert all(file.epoch > BORN for file in kept.files)


def test_a_child_without_a_checkpoint_fails_and_says_why(engine: Engine, tmp_path: Path) -> None:
    pack = parents("ew", tmp_path)
    gone = Checkpoint(path=str(tmp_path / "gone.pt"), epoch=BORN, of_run=PARENT)
    children = [a_job(run, born=BORN, resume=(gone,)) for run in (CHILD, CHILD + 1)]
    found = trained(engine, replace(pack, jobs=tuple(children), until_epoch=EPOCHS))
    assert not found[CHILD].epochs
    assert found[CHILD].end.outcome == "failed"
    assert "the checkpoint that its parent had after epoch 2" in found[CHILD].end.reason
