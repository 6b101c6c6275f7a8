"""What Ray Tune is made to do for slots."""

from __future__ import annotations

from typing import Any

from ray.tune.execution.class_cache import _ActorClassCache

from study.drivers.ray_tune.experiment import in_waiting_processes


def test_slots_of_a_ray_of_its_own_want_no_process_with_another_environment() -> None:
    assert _environment_of_slots()
    with in_waiting_processes():
        assert not _environment_of_slots()
    assert _environment_of_slots()  # on a cluster, processes have that of their nodes


def _environment_of_slots() -> Any:
    class Place:
        pass

    return _ActorClassCache().get(Place)._default_options.get("runtime_env")
