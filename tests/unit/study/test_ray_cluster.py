"""What a Ray of a study's own is made of."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import ray
from ray import _raylet
from ray._private import node, services
from ray._private.ray_constants import PROCESS_TYPE_DASHBOARD_AGENT, PROCESS_TYPE_RAYLET

from study.drivers.options import RayOptions
from study.drivers.ray_tune import no_agent
from study.drivers.ray_tune.cluster import Cluster, _small, _SmallNode, _without_agent


def test_what_a_small_node_does_otherwise_is_what_ray_would_start() -> None:
    changed = {name for name in vars(_SmallNode) if name.startswith("start_")}
    assert changed == {"start_api_server", "start_monitor", "start_log_monitor", "start_raylet"}
    assert changed <= vars(node.Node).keys()


def test_in_the_place_of_the_dashboards_agent_is_a_process_without_ray() -> None:
    with _without_agent():
        agent, other = map(_command_of, (PROCESS_TYPE_DASHBOARD_AGENT, "another"))
    assert agent[-1] == no_agent.__file__
    assert other == _command_of("another") == _command_of(PROCESS_TYPE_DASHBOARD_AGENT)


def test_a_ray_that_waits_for_other_ports_has_its_own_agent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_raylet, "ONE_MORE_PORT_NAME", "one_more", raising=False)
    with _without_agent():
        assert no_agent.__file__ not in _command_of(PROCESS_TYPE_DASHBOARD_AGENT)


def test_without_an_agent_the_raylet_is_told_that_there_are_no_ports(tmp_path: Path) -> None:
    node_id = 28 * "ab"
    given = ["agent.py", f"--node-id={node_id}", f"--session-dir={tmp_path}", "--head"]
    with subprocess.Popen([sys.executable, "-I", "-S", no_agent.__file__, *given]) as process:
        try:
            found = [
                _raylet.wait_for_persisted_port(str(tmp_path), node_id, port, timeout_ms=60_000)
                for port in no_agent.PORTS
            ]
        finally:
            process.kill()
    assert found == [-1, -1, -1]


def _command_of(process: str) -> list[str]:
    return services._build_python_executable_command_memory_profileable(process, "")


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
