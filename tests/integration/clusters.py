"""Ray clusters of a test's own, without what no test looks at."""

from __future__ import annotations

HEAD = {
    "num_cpus": 0,
    "num_gpus": 0,
    "include_dashboard": False,
    "include_log_monitor": False,
    "no_monitor": True,
}
"""A head that trains nothing, as `ray.cluster_utils.Cluster` takes it."""
