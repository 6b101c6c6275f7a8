"""What a Ray of a study's own is made of."""

from __future__ import annotations

from ray._private import node

from study.drivers.ray_tune.cluster import _small, _SmallNode


def test_what_a_small_node_leaves_out_is_what_ray_would_start() -> None:
    left_out = {name for name in vars(_SmallNode) if name.startswith("start_")}
    assert left_out == {"start_api_server", "start_monitor", "start_log_monitor"}
    assert left_out <= vars(node.Node).keys()


def test_other_nodes_of_the_process_are_as_ray_has_them() -> None:
    whole = node.Node
    with _small():
        assert node.Node is _SmallNode
    assert node.Node is whole
