"""Ray Tune when a slot's process has ended: the loss is told, another process follows."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.air.execution._internal.actor_manager import RayActorManager
from ray.exceptions import ActorUnavailableError, OutOfMemoryError

from study.drivers.protocol import Loss
from study.drivers.ray_tune.slot_losses import KilledForMemory, in_words, loss_of, loss_with

_CLARITY_S = 20.0
"""The head takes up to a quarter of a minute to find that a machine does not answer."""
_LOOK_S = 1.0


class SlotLosses(tune.Callback):
    """Tells the channel of slots whose process has ended."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._closing = threading.Event()
        self._waiting: list[threading.Thread] = []

    def __reduce__(self) -> tuple[Any, ...]:
        """Through Ray Client, Ray Tune runs on the cluster with a copy; else it only keeps one."""
        return SlotLosses, (self._channel,)

    def close(self) -> None:
        """Tell of what is still waited for; a thread that outlives Ray would start it anew."""
        self._closing.set()
        for thread in self._waiting:
            thread.join()

    def on_trial_recover(
        self,
        iteration: int,  # noqa: ARG002 - Ray's signature
        trials: list[Any],  # noqa: ARG002
        trial: Any,
        **info: Any,  # noqa: ARG002
    ) -> None:
        """A slot's process has ended; Ray Tune starts another one, under the same name."""
        ended = ray.get(self._channel.slot_ended.remote(trial.trial_id))
        slot, node = ended or (None, "")
        error = _error_of(trial)
        if isinstance(error, ActorUnavailableError):
            args = (slot, in_words(error), node)
            waiting = threading.Thread(target=self._classify_in_time, args=args, daemon=True)
            self._waiting.append(waiting)
            waiting.start()
        else:
            self._report(slot, in_words(error), loss_of(error))

    def _classify_in_time(self, slot: str | None, reason: str, node: str) -> None:
        """Who only cannot be reached may be on a machine that has died, as will be known soon."""
        until_s = time.monotonic() + _CLARITY_S
        while (loss := loss_with(node, _nodes())) is None and time.monotonic() < until_s:
            if self._closing.wait(_LOOK_S):
                break
        self._report(slot, reason, loss or Loss.WORKER)

    def _report(self, slot: str | None, reason: str, loss: Loss) -> None:
        self._channel.slot_lost.remote(slot, reason, loss.value)


def _nodes() -> Sequence[Mapping[str, Any]]:
    return list(ray.nodes())  # type: ignore[no-untyped-call]


def _error_of(trial: Any) -> Exception | None:
    path = trial.pickled_error_file
    return None if path is None else pickle.loads(Path(path).read_bytes())


def survive_memory_kills() -> None:
    """Let Ray Tune recover slots that the memory monitor has ended.

    It recovers actors that have died, and ends on every error that it does not know; Ray tells the
    memory monitor's victims by such a one (seen with Ray 2.60).
    """
    for name in ("_actor_start_failed", "_actor_task_failed"):
        known = getattr(RayActorManager, name)
        if not hasattr(known, "in_terms_of_tune"):
            setattr(RayActorManager, name, _telling_tune(known))


def _telling_tune(known: Callable[..., None]) -> Callable[..., None]:
    def failed(manager: Any, *args: Any, **named: Any) -> None:
        renamed = {name: _in_terms_of_tune(value) for name, value in named.items()}
        known(manager, *map(_in_terms_of_tune, args), **renamed)

    failed.in_terms_of_tune = True  # type: ignore[attr-defined]
    return failed


def _in_terms_of_tune(value: Any) -> Any:
    return KilledForMemory(str(value)) if isinstance(value, OutOfMemoryError) else value
