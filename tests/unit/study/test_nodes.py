"""What is said of the nodes of a cluster before a study starts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from study.drivers import RayOptions
from study.drivers.nodes import Inspection, Node, Sight, Wanted, findings, probe_file

VERSIONS = {"python": "3.11.7", "ray": "2.60.0", "torch": "2.14.1+cpu", "weighbridge": "0.1.0"}
GOOD = Sight(packages=VERSIONS, code="0.1.0+abc", gpus=2, reads=True, writes=True)
NODE = Node(name="one", cpus=4.0, gpus=2.0, sight=GOOD)
WANTED = Wanted(probe="/shared/w.checkpoints/.probe", content="x", module="mine", folder="/spec")
ON_GPU = RayOptions(gpus_per_worker=1.0)


def said(*nodes: Node, options: RayOptions = ON_GPU) -> list[str]:
    seen = Inspection(driver=replace(GOOD, gpus=None), nodes=nodes)
    return [str(finding) for finding in findings(seen, wanted=WANTED, options=options)]


def with_sight(**changes: object) -> Node:
    return replace(NODE, sight=replace(GOOD, **changes))


def test_of_good_nodes_nothing_is_said() -> None:
    built_otherwise = with_sight(packages={**VERSIONS, "torch": "2.14.1+cu130"})
    assert said(NODE, built_otherwise) == []


@pytest.mark.parametrize(
    ("node", "what"),
    [
        (replace(NODE, sight=None, trouble="it is silent"), "it is silent"),
        (with_sight(packages={**VERSIONS, "torch": "2.13.0"}), "torch 2.13.0, the driver 2.14.1"),
        (with_sight(packages={**VERSIONS, "ray": None}), "ray not at all, the driver 2.60.0"),
        (with_sight(code=None), "has no weighbridge"),
        (with_sight(code="0.1.0+def"), "0.1.0+def, the driver's 0.1.0+abc"),
        (with_sight(gpus=1), "gives out 2 GPUs, of which torch sees 1"),
        (with_sight(gpus=None, torch_trouble="OSError: libcudart"), "OSError: libcudart"),
        (with_sight(reads=False, writes=None), "does not see the driver's checkpoints in /shared"),
        (with_sight(writes=False), "cannot write checkpoints to /shared/w.checkpoints"),
        (with_sight(has_module=False), "module `mine`. Install its package there or into /spec"),
    ],
)
def test_each_trouble_is_told_with_its_node(node: Node, what: str) -> None:
    (sentence,) = said(NODE, replace(node, name="two"))
    assert sentence.startswith("two: ")
    assert what in sentence


def test_nodes_with_the_same_trouble_share_a_sentence() -> None:
    nodes = [replace(with_sight(code=None), name=name) for name in ("two", "three")]
    (sentence,) = said(NODE, *nodes)
    assert sentence.startswith("two, three: ")


def test_gpus_do_not_matter_to_workers_without() -> None:
    assert said(with_sight(gpus=0), options=RayOptions()) == []


def test_a_node_without_room_may_be_as_it_is() -> None:
    assert said(NODE, replace(with_sight(code=None), cpus=0.0)) == []


def test_a_cluster_without_room_is_told() -> None:
    (sentence,) = said(NODE, options=RayOptions(cpus_per_worker=5, gpus_per_worker=1))
    assert "No node has room for a worker of 5 cores and 1 GPU. Ask" in sentence


@pytest.mark.parametrize(
    ("cpus", "gpus", "room"),
    [(1, 0, 4), (0.1, 0, 40), (3, 0, 1), (1, 1, 2), (0.5, 0.3, 6), (1, 3, 0)],
)
def test_room_is_what_ray_would_place(cpus: float, gpus: float, room: int) -> None:
    assert NODE.room(RayOptions(cpus_per_worker=cpus, gpus_per_worker=gpus)) == room


class TestProbeFile:
    def test_it_is_there_and_then_gone_with_its_folders(self, tmp_path: Path) -> None:
        with probe_file(tmp_path / "a" / "b") as file:
            assert Path(file.path or "").read_text() == file.content
        assert list(tmp_path.iterdir()) == []

    def test_a_folder_that_was_there_stays(self, tmp_path: Path) -> None:
        with probe_file(tmp_path):
            pass
        assert list(tmp_path.iterdir()) == []

    def test_what_others_write_meanwhile_stays(self, tmp_path: Path) -> None:
        with probe_file(tmp_path / "a"):
            (tmp_path / "a" / "theirs").write_text("")
        assert [path.name for path in (tmp_path / "a").iterdir()] == ["theirs"]

    def test_a_place_that_is_no_folder_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("")
        with probe_file(tmp_path / "a") as file:
            assert file.path is None
            assert file.trouble == "File exists"
