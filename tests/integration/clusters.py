"""Ray clusters of a test's own, without what no test looks at."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ray import cluster_utils
from ray._private.node import Node

from study.drivers.ray_tune.cluster import Cluster, _small
from study.drivers.ray_tune.driver import RayDriver
from study.drivers.ray_tune.orders import WorkerOptions
from tests.integration.command import shared_fork_server


def head_with(*, num_cpus: int) -> cluster_utils.Cluster:
    """A head, to which a test adds nodes; drivers of this machine connect to it.

    Args:
        num_cpus: Cores that it gives out; with none it trains nothing.
    """
    head = {"num_cpus": num_cpus, "num_gpus": 0, "include_dashboard": False}
    with _small():
        return cluster_utils.Cluster(initialize_head=True, head_node_args=head)


def add_node(cluster: cluster_utils.Cluster, **resources: int) -> Node:
    """One more node, as small as the head."""
    with _small():
        return cluster.add_node(**resources)


def share_fork_server(patch: pytest.MonkeyPatch) -> None:
    """Workers of slots are forked from the process of all tests, as those of `WARM` commands."""
    path = shared_fork_server()["TESTS_FORK_SERVER"]

    def near(_driver: RayDriver, options: WorkerOptions) -> WorkerOptions:
        return replace(options, fork_server=path)

    patch.setattr(RayDriver, "_with_fork_server", near)


class AsOwn(Cluster):
    """A Ray that is there, used as a driver's own: its slots are light."""

    def connect(self) -> None:
        super().connect()
        self.is_own = True
