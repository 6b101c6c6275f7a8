"""What Ray Tune is made to do for slots."""

from __future__ import annotations

import inspect
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from ray import tune
from ray.tune.execution import tune_controller
from ray.tune.execution.class_cache import _ActorClassCache

from study.drivers.ray_tune.experiment import Experiment, light_slots
from study.drivers.ray_tune.orders import WorkerOptions
from study.drivers.ray_tune.slot import Slot
from trainers.jobs import ProblemRef, Training

OPTIONS = WorkerOptions(
    problem=ProblemRef(target="toy:Toy"),
    training=Training(epochs=1, batch_size=6),
    device="cpu",
    workers=1,
    resources={"cpu": 1.0},
)


class Place(tune.Trainable):
    """What Ray Tune is told that it starts."""


def test_slots_of_a_ray_of_its_own_want_no_process_with_another_environment() -> None:
    assert _environment(_started_for(Place))
    with light_slots("the channel", OPTIONS):
        assert not _environment(_started_for(Place))
    assert _environment(_started_for(Place))  # on a cluster, processes have that of their nodes


def test_there_ray_tune_starts_slots_as_they_are() -> None:
    controller: Any = tune_controller
    before = controller._get_trainable_kwargs
    with light_slots("the channel", OPTIONS):
        asked = controller._get_trainable_kwargs(trial=SimpleNamespace(trial_id="a"))
        assert asked == {"trial": "a", "channel": "the channel", "options": OPTIONS}
        inspect.signature(Slot).bind(**asked)
        assert issubclass(_started_for(Place).__ray_metadata__.modified_class, Slot)
    assert controller._get_trainable_kwargs is before


@pytest.mark.parametrize("called", ["train", "stop", "get_auto_filled_metrics"])
def test_a_slot_has_what_ray_tune_calls_of_a_trainable(called: str) -> None:
    """Of one that neither saves nor is used again; a new version may call more, see the class."""
    assert callable(getattr(tune.Trainable, called))
    assert callable(getattr(Slot, called))


def _started_for(trainable: type) -> Any:
    return _ActorClassCache().get(trainable)


def _environment(actor: Any) -> Any:
    return actor._default_options.get("runtime_env")


def test_ray_tune_is_not_waited_for_once_its_cluster_has_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asks, ends = threading.Event(), threading.Event()
    monkeypatch.setattr(Experiment, "_run", lambda _: ends.wait(60))
    experiment = Experiment(SimpleNamespace(), OPTIONS, inherits=True)

    def within_reach() -> bool:
        first = not asks.is_set()
        asks.set()
        return first

    experiment.close(within_reach=within_reach)
    assert experiment.alive
    ends.set()
