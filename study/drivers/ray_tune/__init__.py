"""Ray's door."""

from study.drivers.ray_tune.cluster import Cluster
from study.drivers.ray_tune.driver import RayDriver
from study.drivers.ray_tune.inspection import inspect
from study.drivers.ray_tune.spaces import param_space

__all__ = ["Cluster", "RayDriver", "inspect", "param_space"]
