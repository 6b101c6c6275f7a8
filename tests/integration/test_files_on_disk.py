"""Studies on files that the user has: checked before they run, and known by their content."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from storage import Reader
from tests.integration.command import command
from tests.unit.problems.trees import write_cityscapes

STUDY = """
name = "streets"
problem = "cityscapes"
seeds = [0]

[problem_options]
root = "{root}"
size = [12, 16]
train_samples = 6
test_samples = 3
validation_samples = 2
network = "unet"
width = 2
layers = 1
loaders = {loaders}

[training]
epochs = 1
batch_size = 2
optimizer = "adam"

[[search]]
weighting = "ew"
stages = [{{ lr = [0.01] }}]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_cityscapes(tmp_path / "first")


def write(folder: Path, root: Path, *, loaders: int = 1) -> None:
    (folder / "streets.toml").write_text(STUDY.format(root=root, loaders=loaders))


def test_a_study_goes_on_where_its_files_lie_now_and_not_with_others(
    tmp_path: Path, root: Path
) -> None:
    write(tmp_path, root)
    assert command(tmp_path, "run", "streets.toml").code == 0
    reader = Reader(f"sqlite:///{tmp_path}/weighbridge.db")
    version = reader.study("streets").card["data_version"]
    reader.close()
    assert version["files"].startswith("sha256:")
    assert version["splits"]["validation"]["samples"] == 2
    moved = root.rename(tmp_path / "second")
    write(tmp_path, moved, loaders=0)
    again = command(tmp_path, "run", "streets.toml")
    assert again.code == 0, again.err
    shutil.copy(moved / "train/depth/0.npy", moved / "train/depth/1.npy")
    refused = command(tmp_path, "run", "streets.toml")
    assert refused.code == 2
    assert "data" in refused.err


def test_files_that_are_missing_stop_a_study_before_it_is_stored(
    tmp_path: Path, root: Path
) -> None:
    write(tmp_path, root)
    (root / "val/depth/2.npy").unlink()
    for verb in ("plan", "run"):
        said = command(tmp_path, verb, "streets.toml")
        assert said.code == 2
        assert "val/depth/2.npy" in said.err
    text = STUDY.format(root=root, loaders=0).replace(f'root = "{root}"\n', "")
    (tmp_path / "streets.toml").write_text(text)
    said = command(tmp_path, "run", "streets.toml")
    assert said.code == 2
    assert "Set `root`" in said.err
    assert "streets" not in command(tmp_path, "status").text


def test_a_plan_resolves_without_the_files(tmp_path: Path) -> None:
    text = STUDY.format(root="", loaders=0)
    (tmp_path / "streets.toml").write_text(text)
    said = command(tmp_path, "plan", "streets.toml")
    assert said.code == 0, said.err
    assert "Cityscapes" in said.text
    assert "Set `root`" in said.text


def test_the_check_lists_what_is_wrong_and_exits_by_it(tmp_path: Path, root: Path) -> None:
    options = [
        f"--option={of}"
        for of in ("size=[12,16]", "train_samples=6", "test_samples=3", "validation_samples=2")
    ]
    whole = command(tmp_path, "problem", "check", "cityscapes", "--root", "first", *options)
    assert whole.code == 0, whole.err
    assert "4 train, 2 validation, 3 test samples" in whole.text
    (root / "val/depth/2.npy").unlink()
    (root / "train/label_7/0.npy").write_bytes(b"")
    args = ["problem", "check", "cityscapes", "--root", str(root), *options]
    said = command(tmp_path, *args)
    assert said.code == 1
    assert "val/depth/2.npy: expected a file" in said.text.replace("\n", " ")
    assert "2 findings" in said.text
    found = json.loads(command(tmp_path, *args, "--json").out)
    assert found["document"] == "problem.files"
    assert [Path(one["path"]).name for one in found["findings"]] == ["0.npy", "2.npy"]
    assert found["data_version"] is None
