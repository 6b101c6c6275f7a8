from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.packs import a_job, a_pack, told
from tests.toy import Toy
from trainers import checkpoints
from trainers.engines import open_session, train
from trainers.errors import CheckpointUnreadable, TrainingError
from trainers.jobs import Checkpoint

STATE = {"network": {"weight": torch.arange(6.0)}, "state": {}, "epoch": 3}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "run1-token1-epoch3.pt"
    checkpoints.save(STATE, path)
    return path


def test_what_is_saved_is_loaded(saved: Path) -> None:
    loaded = checkpoints.load(saved, "cpu")
    assert loaded["epoch"] == 3
    assert torch.equal(loaded["network"]["weight"], STATE["network"]["weight"])


def test_saving_makes_the_folder_and_tells_the_size(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.pt"
    assert checkpoints.save(STATE, path) == path.stat().st_size


def test_saving_leaves_nothing_beside_the_file(saved: Path) -> None:
    assert list(saved.parent.iterdir()) == [saved]


def test_a_failed_save_leaves_the_old_file_and_nothing_beside_it(saved: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises((AttributeError, TypeError, pickle.PicklingError)):
        checkpoints.save({"function": lambda: None}, saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_a_missing_file_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(CheckpointUnreadable, match="delete it"):
        checkpoints.load(tmp_path / "none.pt", "cpu")


def test_a_pickle_of_code_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "evil.pt"
    torch.save({"function": print}, path)
    with pytest.raises(CheckpointUnreadable):
        checkpoints.load(path, "cpu")


@pytest.mark.parametrize("kind", [TrainingError, OSError])
def test_its_error_is_caught_as(kind: type[Exception], tmp_path: Path) -> None:
    with pytest.raises(kind):
        checkpoints.load(tmp_path / "none.pt", "cpu")


@settings(deadline=None, max_examples=60)
@given(share=st.floats(0.0, 1.0, exclude_max=True))
def test_a_file_that_was_cut_is_unreadable(
    tmp_path_factory: pytest.TempPathFactory, share: float
) -> None:
    path = tmp_path_factory.mktemp("cut") / "file.pt"
    size = checkpoints.save(STATE, path)
    path.write_bytes(path.read_bytes()[: int(share * size)])
    with pytest.raises(CheckpointUnreadable):
        checkpoints.load(path, "cpu")


@settings(deadline=None, max_examples=60)
@given(junk=st.binary(max_size=200))
def test_junk_is_unreadable(tmp_path_factory: pytest.TempPathFactory, junk: bytes) -> None:
    path = tmp_path_factory.mktemp("junk") / "file.pt"
    path.write_bytes(junk)
    with pytest.raises(CheckpointUnreadable):
        checkpoints.load(path, "cpu")


@pytest.mark.parametrize(
    "state", [{}, {**STATE, "optimizer": {}, "params": {}}], ids=["bare", "odd"]
)
def test_a_checkpoint_of_something_else_is_skipped_by_name(
    tmp_path: Path, state: dict[str, object]
) -> None:
    path = tmp_path / "other.pt"
    checkpoints.save(state, path)
    job = a_job(1, resume=(Checkpoint(path=str(path), epoch=1),))
    run = told(train(a_pack(job), open_session(Toy(), "cpu")))[1]
    assert run.end.outcome == "done"
    assert run.skipped[0].path == str(path)
    assert run.skipped[0].reason.startswith("A checkpoint must hold the state of its own run.")
