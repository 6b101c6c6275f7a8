"""Asks every node of a cluster what a worker would find there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from study.drivers.nodes import Inspection, Node, Sight, Wanted
from study.drivers.ray_tune import sight
from study.drivers.ray_tune.cluster import Cluster
from study.drivers.ray_tune.refusals import within_reach

_PATIENCE_S = 120.0


def inspect(cluster: Cluster, wanted: Wanted) -> Inspection:
    """Connect to a cluster, and ask this machine and all nodes that are alive.

    Raises:
        WorkersUnusable: There is no cluster at the address.
        ClusterLost: It has gone meanwhile.
    """
    cluster.connect()
    try:
        with within_reach():
            return Inspection(driver=_driver(wanted), nodes=tuple(_nodes(wanted)))
    finally:
        cluster.leave()


def _driver(wanted: Wanted) -> Sight:
    """What this machine has; torch is not asked."""
    return _sight(_asking()(_source(), _text(replace(wanted, count_gpus=False))))


def _nodes(wanted: Wanted) -> list[Node]:
    """One short task a node, all at the same time."""
    nodes = [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
    ask = ray.remote(num_cpus=0, max_retries=0)(_asking())
    source = _source()
    answers = []
    for node in nodes:
        asked = replace(wanted, count_gpus=wanted.count_gpus or bool(_gpus(node)))
        there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        answers.append(ask.options(scheduling_strategy=there).remote(source, _text(asked)))
    done, _ = ray.wait(answers, num_returns=len(answers), timeout=_PATIENCE_S)
    arrived = set(done)
    return [
        _heard(node, name, answer if answer in arrived else None)
        for node, name, answer in zip(nodes, _names(nodes), answers, strict=True)
    ]


def _asking() -> Callable[[str, str], str]:
    """The task; made in a function, it travels by value to nodes that lack this module."""

    def ask(source: str, wanted: str) -> str:
        import subprocess
        import sys

        command = [sys.executable, "-P", "-c", source, wanted]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.strip().splitlines()[-1])
        return done.stdout

    return ask


def _heard(node: Mapping[str, Any], name: str, answer: Any) -> Node:
    resources = node["Resources"]
    heard = Node(name=name, cpus=resources.get("CPU", 0.0), gpus=_gpus(node))
    if answer is None:
        return replace(heard, trouble=f"it did not answer within {_PATIENCE_S:.0f} s")
    try:
        return replace(heard, sight=_sight(ray.get(answer)))
    except ray.exceptions.RayError as error:
        return replace(heard, trouble=str(error).strip().splitlines()[-1])


def _names(nodes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names, or addresses where there are none; of several nodes on one machine, with numbers."""
    names = [node.get("NodeName") or node["NodeManagerAddress"] for node in nodes]
    often = Counter(names)
    return [
        name if often[name] == 1 else f"{name} ({node['NodeID'][:6]})"
        for name, node in zip(names, nodes, strict=True)
    ]


def _gpus(node: Mapping[str, Any]) -> float:
    return float(node["Resources"].get("GPU", 0.0))


def _source() -> str:
    return Path(sight.__file__).read_text(encoding="utf-8")


def _text(wanted: Wanted) -> str:
    return json.dumps(asdict(wanted))


def _sight(answer: str) -> Sight:
    return Sight(**json.loads(answer.splitlines()[-1]))
