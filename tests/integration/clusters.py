"""Ray clusters of a test's own, without what no test looks at."""

from __future__ import annotations

from ray import cluster_utils

from study.drivers.ray_tune.cluster import Cluster, _small

_HEAD = {"num_cpus": 0, "num_gpus": 0, "include_dashboard": False}


def head_alone() -> cluster_utils.Cluster:
    """A head that trains nothing, to which a test adds nodes."""
    with _small():
        return cluster_utils.Cluster(initialize_head=True, head_node_args=_HEAD)


class AsOwn(Cluster):
    """A Ray that is there, used as a driver's own: its slots are light."""

    def connect(self) -> None:
        super().connect()
        self.is_own = True
