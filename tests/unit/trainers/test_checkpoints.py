from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.packs import a_job, a_pack, told
from tests.toy import Toy
from trainers.engines import open_session, train
from trainers.errors import CheckpointUnreadable, TrainingError
from trainers.jobs import Checkpoint
from trainers.keeping import checkpoints, paths

STATE = {"network": {"weight": torch.arange(6.0)}, "state": {}, "epoch": 3}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "run1-token1-epoch3.pt"
    checkpoints.save(STATE, str(path))
    return path


def test_what_is_saved_is_loaded(saved: Path) -> None:
    loaded = checkpoints.load(str(saved))
    assert loaded["epoch"] == 3
    assert torch.equal(loaded["network"]["weight"], STATE["network"]["weight"])


def test_saving_makes_the_folder_and_tells_the_size(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.pt"
    assert checkpoints.save(STATE, str(path)) == path.stat().st_size


def test_saving_leaves_nothing_beside_the_file(saved: Path) -> None:
    assert list(saved.parent.iterdir()) == [saved]


def test_a_failed_save_leaves_the_old_file_and_nothing_beside_it(saved: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises((AttributeError, TypeError, pickle.PicklingError)):
        checkpoints.save({"function": lambda: None}, str(saved))
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


@pytest.mark.parametrize("n_numbers", [1, 10**6], ids=["small", "large"])
def test_a_full_disk_is_told_as_the_disk_does(n_numbers: int, tmp_path: Path) -> None:
    """Torch alone raises a RuntimeError, by which runs fail that could go on."""
    path = tmp_path / "file.pt"
    (tmp_path / f"file.pt.{os.getpid()}.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        checkpoints.save({"numbers": torch.zeros(n_numbers)}, str(path))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_place_of_a_file_is_neither_written_nor_read_nor_removed(
    tmp_path: Path,
) -> None:
    in_the_way = tmp_path / "file.pt"
    in_the_way.mkdir()
    with pytest.raises(OSError, match="Is a directory"):
        checkpoints.save(STATE, str(in_the_way))
    with pytest.raises(CheckpointUnreadable, match="Is a directory"):
        checkpoints.load(str(in_the_way))
    paths.remove([str(in_the_way)])
    assert list(tmp_path.iterdir()) == [in_the_way]


def test_a_missing_file_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(CheckpointUnreadable, match="delete it"):
        checkpoints.load(str(tmp_path / "none.pt"))


def test_a_pickle_of_code_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "evil.pt"
    torch.save({"function": print}, path)
    with pytest.raises(CheckpointUnreadable, match="more than plain tensors") as caught:
        checkpoints.load(str(path))
    assert "weights_only" not in str(caught.value), "torch's hint, which would run it"


@pytest.mark.parametrize("kind", [TrainingError, OSError])
def test_its_error_is_caught_as(kind: type[Exception], tmp_path: Path) -> None:
    with pytest.raises(kind):
        checkpoints.load(str(tmp_path / "none.pt"))


@given(share=st.floats(0.0, 1.0, exclude_max=True))
def test_a_file_that_was_cut_is_unreadable(
    tmp_path_factory: pytest.TempPathFactory, share: float
) -> None:
    path = tmp_path_factory.mktemp("cut") / "file.pt"
    size = checkpoints.save(STATE, str(path))
    path.write_bytes(path.read_bytes()[: int(share * size)])
    with pytest.raises(CheckpointUnreadable):
        checkpoints.load(str(path))


def test_a_child_has_its_parents_state_to_itself_without_the_networks_kept_for_it() -> None:
    before = torch.zeros(2)
    file = {"runs": {1: {"state": {"before": before}, "candidates": [{}]}}}
    parent = Checkpoint(path="file.pt", epoch=1, of_run=1)
    state = checkpoints.state_for(a_job(2), parent, file)
    assert state.keys() == {"state"}
    state["state"]["before"] += 1
    assert not before.any()


@given(junk=st.binary(max_size=200))
def test_junk_is_unreadable(tmp_path_factory: pytest.TempPathFactory, junk: bytes) -> None:
    path = tmp_path_factory.mktemp("junk") / "file.pt"
    path.write_bytes(junk)
    with pytest.raises(CheckpointUnreadable):
        checkpoints.load(str(path))


@pytest.mark.parametrize(
    "state", [{}, {**STATE, "optimizer": {}, "params": {}}], ids=["bare", "odd"]
)
def test_a_checkpoint_of_something_else_is_skipped_by_name(
    tmp_path: Path, state: dict[str, object]
) -> None:
    path = tmp_path / "other.pt"
    checkpoints.save(state, str(path))
    job = a_job(1, resume=(Checkpoint(path=str(path), epoch=1),))
    run = told(train(a_pack(job), open_session(Toy(), "cpu")))[1]
    assert run.end.outcome == "done"
    assert run.skipped[0].path == str(path)
    assert run.skipped[0].reason.startswith("A checkpoint must hold the state of its own run.")


class TestBehindUrl:
    """Of a store; each test has a folder of its own in this process's memory."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> str:
        return f"memory://{tmp_path}"

    def test_what_is_saved_is_loaded(self, folder: str) -> None:
        url = f"{folder}/a/b/c.pt"
        size = checkpoints.save(STATE, url)
        assert size == len(paths.read(url))
        loaded = checkpoints.load(url)
        assert torch.equal(loaded["network"]["weight"], STATE["network"]["weight"])

    def test_a_missing_file_is_unreadable(self, folder: str) -> None:
        with pytest.raises(CheckpointUnreadable, match="delete it"):
            checkpoints.load(f"{folder}/none.pt")

    def test_a_torn_file_is_unreadable(self, folder: str) -> None:
        url = f"{folder}/torn.pt"
        checkpoints.save(STATE, url)
        paths.write(url, paths.read(url)[:100])
        with pytest.raises(CheckpointUnreadable):
            checkpoints.load(url)

    def test_a_run_goes_on_as_if_it_had_not_been_cut(self, folder: str) -> None:
        session = open_session(Toy(), "cpu")
        whole = told(train(a_pack(a_job(1, "uw")), session))[1]
        begun = told(train(a_pack(a_job(1, "uw"), checkpoints=folder, until_epoch=2), session))[1]
        (saved,) = begun.checkpoints
        assert saved.checkpoint.path == f"{folder}/run1-token3-epoch2.pt"
        rest = told(train(a_pack(a_job(1, "uw", resume=(saved.checkpoint,))), session))[1]
        assert rest.epochs == {3: whole.epochs[3]}

    def test_a_store_that_fails_costs_the_checkpoint_only(self) -> None:
        pack = a_pack(a_job(1), checkpoints="nowhere://bucket", checkpoint_s=0.0)
        run = told(train(pack, open_session(Toy(), "cpu")))[1]
        assert (run.end.outcome, run.checkpoints) == ("done", [])
        assert "ValueError: Protocol not known" in run.skipped[0].reason
