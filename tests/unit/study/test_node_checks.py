"""What is said of the nodes of a cluster before a study starts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from study.drivers import RayOptions
from study.drivers.node_checks import findings, marker_file, room
from study.drivers.node_report import NodeQuery, NodeReport
from tests.unit.study.specs import spec_of

VERSIONS = {"python": "3.11.7", "ray": "2.60.0", "torch": "2.14.1+cpu", "weighbridge": "0.1.0"}
DRIVER = NodeReport(packages=VERSIONS, code="0.1.0+abc", reads=True, writes=True)
NODE = replace(DRIVER, name="one", cpus=4.0, gpus=2.0, torch_gpus=2)
SILENT = NodeReport(name="one", cpus=4.0, gpus=2.0, trouble="it is silent")
QUERY = NodeQuery(
    marker="/shared/w.checkpoints/.marker", content="x", modules=("mine", "other"), folder="/spec"
)
ON_GPU = RayOptions(gpus_per_worker=1.0)


def said(*nodes: NodeReport, options: RayOptions = ON_GPU) -> list[str]:
    return [str(found) for found in findings(DRIVER, nodes, query=QUERY, options=options)]


def with_package(**versions: str | None) -> NodeReport:
    return replace(NODE, packages=VERSIONS | versions)


def test_of_good_nodes_nothing_is_said() -> None:
    built_otherwise = with_package(torch="2.14.1+cu130")
    assert said(NODE, built_otherwise) == []


@pytest.mark.parametrize(
    ("node", "what"),
    [
        (SILENT, "it is silent"),
        (
            replace(NODE, packages={**VERSIONS, "torch": "2.13.0"}),
            "torch 2.13.0, the driver 2.14.1",
        ),
        (with_package(ray=None), "ray not at all, the driver 2.60.0"),
        (replace(NODE, code=None), "has no weighbridge"),
        (replace(NODE, code="0.1.0+def"), "0.1.0+def, the driver's 0.1.0+abc"),
        (replace(NODE, torch_gpus=1), "gives out 2 GPUs, of which torch sees 1"),
        (replace(NODE, torch_gpus=None, torch_trouble="OSError: libcudart"), "OSError: libcudart"),
        (
            replace(NODE, reads=False, writes=None),
            "not see the driver's checkpoints in /shared",
        ),
        (replace(NODE, writes=False), "cannot write checkpoints to /shared/w.checkpoints"),
        (
            replace(NODE, missing_modules=["mine"]),
            "`mine` of the study. Install its package there or into /spec",
        ),
    ],
)
def test_each_trouble_is_told_with_its_node(node: NodeReport, what: str) -> None:
    (sentence,) = said(NODE, replace(node, name="two"))
    assert sentence.startswith("two: ")
    assert what in sentence


def test_nodes_with_the_same_trouble_share_a_sentence() -> None:
    nodes = [replace(NODE, code=None, name=name) for name in ("two", "three")]
    (sentence,) = said(NODE, *nodes)
    assert sentence.startswith("two, three: ")


def test_gpus_do_not_matter_to_workers_without() -> None:
    assert said(replace(NODE, torch_gpus=0), options=RayOptions()) == []


def test_a_node_without_room_may_be_as_it_is() -> None:
    assert said(NODE, replace(NODE, code=None, cpus=0.0)) == []


def test_a_cluster_without_room_is_told() -> None:
    (sentence,) = said(NODE, options=RayOptions(cpus_per_worker=5, gpus_per_worker=1))
    assert "No node has room for a worker of 5 cores and 1 GPU. Ask" in sentence


@pytest.mark.parametrize(
    ("cpus", "gpus", "fitting"),
    [(1, 0, 4), (0.1, 0, 40), (3, 0, 1), (1, 1, 2), (0.5, 0.3, 6), (1, 3, 0)],
)
def test_room_is_what_ray_would_place(cpus: float, gpus: float, fitting: int) -> None:
    assert room(NODE, RayOptions(cpus_per_worker=cpus, gpus_per_worker=gpus)) == fitting


class TestMarkerFile:
    def test_it_is_there_and_then_gone_with_its_folders(self, tmp_path: Path) -> None:
        with marker_file(tmp_path / "a" / "b") as file:
            assert Path(file.path or "").read_text() == file.content
        assert list(tmp_path.iterdir()) == []

    def test_a_folder_that_was_there_stays(self, tmp_path: Path) -> None:
        with marker_file(tmp_path):
            pass
        assert list(tmp_path.iterdir()) == []

    def test_what_others_write_meanwhile_stays(self, tmp_path: Path) -> None:
        with marker_file(tmp_path / "a"):
            (tmp_path / "a" / "theirs").write_text("")
        assert [path.name for path in (tmp_path / "a").iterdir()] == ["theirs"]

    def test_a_place_that_is_no_folder_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("")
        with marker_file(tmp_path / "a") as file:
            assert file.path is None
            assert file.trouble == "File exists"


@pytest.mark.parametrize(
    ("keys", "modules"),
    [
        ({}, ()),
        ({"problem": "my.data:Mine"}, ("my.data",)),
        ({"problem": "my.data:Mine", "trainer": "ours:Trainer"}, ("my.data", "ours")),
        ({"training": {"epochs": 3, "batch_size": 8, "optimizer": "steps:Own"}}, ("steps",)),
        (
            {"search": [{"weighting": "w:Mine", "stages": [{"optimizer": ["adam", "steps:Own"]}]}]},
            ("w", "steps"),
        ),
    ],
)
def test_nodes_are_asked_for_the_modules_that_a_spec_names(
    keys: dict[str, Any], modules: tuple[str, ...]
) -> None:
    own = {"search": [{"stages": [{"rate": [0.1]}]}]} if "trainer" in keys else {}
    assert spec_of(**{**own, **keys}).own_modules == modules
