"""Ray Tune, which keeps worker slots occupied: one trial each, as long as the driver is open."""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import ray
from ray import tune
from ray.tune.execution import tune_controller
from ray.tune.execution.class_cache import _ActorClassCache

from study.drivers.ray_tune.orders import WorkerOptions
from study.drivers.ray_tune.recovery import SlotLosses, survive_memory_kills
from study.drivers.ray_tune.slot import Slot

_LOOK_S = 0.2
_END_S = 60.0
"""Ray Tune is given so long to end its slots: called after Ray has gone, Ray starts anew."""

# it prints a traceback for every lost worker, of which the runner tells in its own words
logging.getLogger("ray.tune").setLevel(logging.CRITICAL)


class Experiment:
    """A Tune experiment in a thread of its own, and in a folder that nobody reads.

    Args:
        inherits: Slots have the environment of this process, as the children of a Ray of its own.

    Attributes:
        failure: What has ended it before its time; None if nothing has.
    """

    def __init__(self, channel: Any, options: WorkerOptions, *, inherits: bool) -> None:
        survive_memory_kills()
        self.failure: BaseException | None = None
        self._channel, self._options, self._inherits = channel, options, inherits
        self._losses, self._stopper = SlotLosses(channel), _WhenClosing()
        self._folder = tempfile.TemporaryDirectory(prefix="weighbridge-tune-")
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether slots are looked after."""
        return self._thread.is_alive()

    def close(self, *, within_reach: Callable[[], bool]) -> None:
        """End the slots; Ray Tune waits for a cluster that has gone, and is not waited for then.

        Args:
            within_reach: Tells whether the cluster can be told.
        """
        self._stopper.closing = True
        deadline_s = time.monotonic() + _END_S
        while within_reach() and self.alive and time.monotonic() < deadline_s:
            self._thread.join(_LOOK_S)
        if within_reach():
            self._losses.close()
        self._folder.cleanup()

    def _run(self) -> None:
        """Keep the slots occupied; returns when all have been closed."""
        channel, options = self._channel, self._options
        trainable = tune.with_parameters(_Trainable, channel=channel, options=options)
        workers = options.workers
        try:
            tuner = tune.Tuner(
                tune.with_resources(trainable, self._resources()),
                tune_config=tune.TuneConfig(num_samples=workers, max_concurrent_trials=workers),
                run_config=tune.RunConfig(
                    storage_path=self._folder.name,
                    verbose=0,
                    failure_config=tune.FailureConfig(max_failures=-1),
                    checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                    callbacks=[self._losses],
                    stop=self._stopper,
                ),
            )
            with light_slots(channel, options) if self._inherits else nullcontext():
                tuner.fit()
        except BaseException as error:  # kept for the thread that polls
            self.failure = error

    def _resources(self) -> Any:
        """Of a slot: of one process, or of all those that train a run together."""
        of_one, ranks = self._options.resources, self._options.training.data_parallel
        if ranks == 1:
            return dict(of_one)
        return tune.PlacementGroupFactory([{k.upper(): n for k, n in of_one.items()}] * ranks)


class _Trainable(tune.Trainable):
    """A slot as Ray Tune's own trials are."""

    def setup(self, _config: dict[str, Any], *, channel: Any = None, options: Any = None) -> None:
        """Start the slot."""
        self._slot = Slot(self.trial_id, channel, options)

    def step(self) -> dict[str, Any]:
        """All that it does.

        Raises:
            NodeDrained: Its node is about to be taken away, and nothing is under way.
        """
        return self._slot.train()


@contextmanager
def light_slots(channel: Any, options: WorkerOptions) -> Iterator[None]:
    """Let Ray Tune start slots as they are, in processes that Ray has begun already.

    As trainables of its own, they would load Ray Tune, and ask for an environment, which says again
    what these processes have from this one: for that, Ray starts Python twice for each slot, and
    what it had begun is of no use. Together that is two seconds of a core for each slot.
    """
    cache: Any = _ActorClassCache
    controller: Any = tune_controller
    known, actor = (cache.get, controller._get_trainable_kwargs), ray.remote(Slot)
    cache.get = lambda _cache, _trainable: actor
    controller._get_trainable_kwargs = lambda trial: {
        "trial": trial.trial_id,
        "channel": channel,
        "options": options,
    }
    try:
        yield
    finally:
        cache.get, controller._get_trainable_kwargs = known


class _WhenClosing(tune.Stopper):
    """Ends Ray Tune when the driver closes, whatever its slots are doing."""

    def __init__(self) -> None:
        self.closing = False

    def __call__(self, _trial_id: str, _result: dict[str, Any]) -> bool:
        """Results say nothing here."""
        return False

    def stop_all(self) -> bool:
        """Whether all is over."""
        return self.closing
