"""A Ray cluster: how it is reached, and what of it a worker gets."""

from __future__ import annotations

import logging
import math
import os
import socket
import time
from typing import Any

os.environ.setdefault("RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS", "0")
os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")  # results go to the database
os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")  # Tune would find the Ray of somebody else
os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")  # the old output can be turned off
os.environ.setdefault("RAY_CHDIR_TO_TRIAL_DIR", "0")
os.environ.setdefault("TUNE_GLOBAL_CHECKPOINT_S", "3600")  # of a folder that nobody reads

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from study.drivers.options import RayOptions
from study.errors import WorkersUnusable

_KNOCKING_S = 10.0
_PAUSE_S = 0.5


class Cluster:
    """Where workers run.

    Args:
        workers: For how many processes there must be room on a Ray of our own.

    Attributes:
        is_own: Whether it is a Ray of our own, once connected.
    """

    def __init__(self, options: RayOptions, *, workers: int) -> None:
        self._options, self._workers = options, workers
        self._leaves = False
        self.is_own = False

    @property
    def resources(self) -> dict[str, float]:
        """Of one worker."""
        gpus = self._options.gpus_per_worker
        return {"cpu": self._options.cpus_per_worker, **({"gpu": gpus} if gpus else {})}

    def connect(self) -> None:
        """Connect, or start a Ray of one machine.

        Raises:
            WorkersUnusable: There is no cluster at the address.
        """
        if ray.is_initialized():
            return
        address = self._options.address or ("auto" if "RAY_ADDRESS" in os.environ else "local")
        settings: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        if address == "local":
            settings |= {"num_cpus": self._cpus(), "include_dashboard": False}
        try:
            _knock(self._options.address or os.environ.get("RAY_ADDRESS", ""))
            ray.init(address=address, **settings)
        except (OSError, OverflowError, RuntimeError, ValueError) as error:
            reason = str(error).strip().splitlines()[0].rstrip(".")
            raise WorkersUnusable(
                f"`--address` must lead to a running Ray cluster. {address!r} does not: {reason}. "
                "Start one with `ray start --head`, or drop --address for a Ray of its own. "
                "A cluster that asks for a token wants RAY_AUTH_MODE=token here, too."
            ) from error
        self._leaves, self.is_own = True, address == "local"

    @property
    def head(self) -> str | None:
        """Address of the head, once connected; None through Ray Client, which looks itself."""
        if ray.util.client.ray.is_connected():  # type: ignore[no-untyped-call]
            return None
        return str(ray.get_runtime_context().gcs_address)

    @property
    def reaches_driver(self) -> bool:
        """Whether its processes may connect to this one by themselves, without Ray in between."""
        return self.head is not None and os.environ.get("RAY_USE_TLS") != "1"

    def leave(self) -> None:
        """Disconnect, and end a Ray of our own."""
        if self._leaves:
            ray.shutdown()
            self._leaves = False

    def beside_driver(self, actor: Any, *, threads: int) -> Any:
        """An actor class whose actors live on the driver's node."""
        here = ray.get_runtime_context().get_node_id()
        return actor.options(
            num_cpus=0,
            max_concurrency=threads,
            scheduling_strategy=NodeAffinitySchedulingStrategy(here, soft=False),
        )

    def _cpus(self) -> int:
        return max(os.cpu_count() or 1, math.ceil(self._workers * self._options.cpus_per_worker))


def _knock(address: str) -> None:
    """Wait until somebody listens at HOST:PORT; Ray itself would try for more than four minutes.

    Raises:
        OSError: Nobody does; with the reason of the last attempt.
        ValueError: The port is no number.
    """
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon:
        return
    place = host.strip("[]"), int(port)
    deadline_s = time.monotonic() + _KNOCKING_S
    while True:
        try:
            socket.create_connection(place, _KNOCKING_S).close()
        except OSError:
            if time.monotonic() >= deadline_s:
                raise
            time.sleep(_PAUSE_S)
        else:
            return
