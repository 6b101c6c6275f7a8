"""Ray's door."""

from study.drivers.ray_tune.spaces import param_space

__all__ = ["param_space"]
