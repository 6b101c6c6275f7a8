"""Has every node of a cluster report what a worker would find there: one task a node."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from study.drivers import node_report
from study.drivers.node_report import NodeQuery, NodeReport
from study.drivers.ray_tune.cluster import Cluster
from study.drivers.ray_tune.explained_errors import within_reach

_TIMEOUT_S = 120.0


def inspect(cluster: Cluster, query: NodeQuery) -> tuple[NodeReport, list[NodeReport]]:
    """Connect to a cluster, and ask this machine (torch aside) and all nodes that are alive.

    Raises:
        WorkersUnusable: There is no cluster at the address.
        ClusterLost: It has gone meanwhile.
    """
    cluster.connect()
    try:
        with within_reach():
            answer = _task()(*_script(replace(query, count_gpus=False)))
            return NodeReport(**json.loads(answer)), _reports(query)
    finally:
        cluster.leave()


def _reports(query: NodeQuery) -> list[NodeReport]:
    nodes = [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
    ask = ray.remote(num_cpus=0, max_retries=0)(_task())
    answers = []
    for node in nodes:
        asked = replace(query, count_gpus=query.count_gpus or "GPU" in node["Resources"])
        there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        answers.append(ask.options(scheduling_strategy=there).remote(*_script(asked)))
    done, _ = ray.wait(answers, num_returns=len(answers), timeout=_TIMEOUT_S)
    arrived = set(done)
    return [
        _report(node, name, answer if answer in arrived else None)
        for node, name, answer in zip(nodes, _names(nodes), answers, strict=True)
    ]


def _task() -> Callable[[str, str], str]:
    """Runs a script there; made in a function, it travels by value to nodes without this module."""

    def run(script: str, argument: str) -> str:
        import subprocess
        import sys

        command = [sys.executable, "-P", "-c", script, argument]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
        if done.returncode:
            said = done.stderr.strip().rpartition("\n")[2]
            raise RuntimeError(said or f"exit code {done.returncode}")
        return done.stdout.splitlines()[-1]

    return run


def _script(query: NodeQuery) -> tuple[str, str]:
    return Path(node_report.__file__).read_text(encoding="utf-8"), json.dumps(asdict(query))


def _report(node: Mapping[str, Any], name: str, answer: Any) -> NodeReport:
    resources = node["Resources"]
    known = NodeReport(name=name, cpus=resources.get("CPU", 0.0), gpus=resources.get("GPU", 0.0))
    if answer is None:
        return replace(known, trouble=f"it did not answer within {_TIMEOUT_S:.0f} s")
    try:
        found = json.loads(ray.get(answer))
    except ray.exceptions.RayError as error:
        return replace(known, trouble=str(error).strip().splitlines()[-1])
    return NodeReport(**found | {"name": known.name, "cpus": known.cpus, "gpus": known.gpus})


def _names(nodes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names, or addresses where there are none; of several nodes on one machine, with numbers."""
    names = [node.get("NodeName") or node["NodeManagerAddress"] for node in nodes]
    often = Counter(names)
    return [
        name if often[name] == 1 else f"{name} ({node['NodeID'][:6]})"
        for name, node in zip(names, nodes, strict=True)
    ]
