"""A network's file: where it may be written, and what is said of a file that is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from trainers.errors import FolderMissing, NetworkUnreadable
from trainers.jobs import ProblemRef
from trainers.trained_network import FORMAT, TrainedNetwork

NETWORK = TrainedNetwork(
    state_dict={"trunk.weight": torch.ones(2)},
    outside={},
    problem=ProblemRef(target="digits"),
    tasks=("left",),
    card={},
    study="s",
    search="ew",
    trial=0,
    run=1,
    weighting="ew",
    params={"lr": 0.1},
    seed=0,
    epoch=1,
    precision="float32",
    metrics={},
    version="0",
)


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FolderMissing, match=r"a folder that exists. Got .*nodir\. Create it first"):
        NETWORK.save(tmp_path / "nodir" / "x.pt")
    (tmp_path / "link.pt").symlink_to(tmp_path / "nodir" / "x.pt")
    with pytest.raises(FolderMissing, match=r"Got .*nodir\."):
        NETWORK.save(tmp_path / "link.pt")
    assert [path.name for path in tmp_path.iterdir()] == ["link.pt"]


def _changed(**parts: object) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        NETWORK.save(path)
        plain = torch.load(path, weights_only=True)
        torch.save({**plain, **parts}, path)

    return write


@pytest.mark.parametrize(
    ("write", "finding"),
    [
        (Path.exists, "No such file or directory"),
        (Path.mkdir, "Is a directory"),
        (lambda path: path.write_bytes(b""), "torch reads no plain values and tensors"),
        (lambda path: path.write_text("hello"), "torch reads no plain values and tensors"),
        (lambda path: torch.save(torch.ones(3), path), "which holds a Tensor"),
        (lambda path: torch.save([1], path), "which holds a list"),
        (
            lambda path: torch.save(torch.nn.Linear(1, 1).state_dict(), path),
            "which holds parameters alone, a `state_dict`",
        ),
        (lambda path: torch.save(torch.nn.Linear(1, 1), path), "torch reads no plain values"),
        (_changed(format=FORMAT + 1), f"in format {FORMAT + 1}, of another version"),
        (_changed(format=torch.ones(2)), "of another version"),
        (_changed(extra=1), "lacks a part or has another"),
        (_changed(problem=3), "lacks a part or has another"),
    ],
)
def test_of_another_file_it_is_said_what_it_is(
    write: Callable[[Path], object], finding: str, tmp_path: Path
) -> None:
    write(tmp_path / "x.pt")
    with pytest.raises(NetworkUnreadable) as refused:
        TrainedNetwork.load(tmp_path / "x.pt")
    told = str(refused.value)
    assert finding in told
    assert told.startswith("A trained network is a file that `weighbridge network` or")
