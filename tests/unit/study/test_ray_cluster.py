"""What a Ray of a study's own is made of."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import ray
from ray._private import node
from ray._private.ray_constants import PROCESS_TYPE_RAYLET

from study.drivers.options import RayOptions
from study.drivers.ray_tune.cluster import Cluster, _small, _SmallNode


def test_what_a_small_node_leaves_out_is_what_ray_would_start() -> None:
    left_out = {name for name in vars(_SmallNode) if name.startswith("start_")}
    assert left_out == {"start_api_server", "start_monitor", "start_log_monitor"}
    assert left_out <= vars(node.Node).keys()


def test_other_nodes_of_the_process_are_as_ray_has_them() -> None:
    whole = node.Node
    with _small():
        assert node.Node is _SmallNode
    assert node.Node is whole


def test_of_a_ray_of_its_own_it_sees_what_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(RayOptions(), workers=1)
    own = SimpleNamespace(dead_processes=lambda: [("raylet", None)])
    monkeypatch.setattr(ray._private.worker, "_global_node", own)
    assert cluster.ended == []  # of others' it sees none
    cluster.is_own = True
    assert cluster.ended == ["raylet"]
    assert node.Node.dead_processes
    assert PROCESS_TYPE_RAYLET == "raylet"
