"""A Ray cluster: how it is reached, and what of it a worker gets."""

from __future__ import annotations

import logging
import math
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from ray import _raylet
from ray._private import node, services
from ray._private.ray_constants import PROCESS_TYPE_DASHBOARD_AGENT
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from study.drivers.options import RayOptions
from study.drivers.ray_tune import no_agent
from study.drivers.ray_tune.endpoints import check_endpoint
from study.drivers.ray_tune.explained_errors import folder_of_ray, no_cluster, no_ray_here

_SETTINGS: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ROOM = 2**20
"""Bytes that Ray needs at the very least."""
_PORTS_OF_OTHERS = ("gcs_server_port", "runtime_env_agent_port")
"""Of which processes tell that are started here, too."""


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
            WorkersUnusable: There is no cluster at the address, or no Ray starts here.
        """
        if ray.is_initialized():
            return
        ray._private.worker.print_to_stdstream = _say_nothing  # what ends a study, we tell
        address = self._options.address or ("auto" if "RAY_ADDRESS" in os.environ else "local")
        with _own_handlers():
            if address == "local":
                self._start()
            else:
                self._join(address)
        self._leaves, self.is_own = True, address == "local"

    def _start(self) -> None:
        folder = folder_of_ray()
        try:
            _try_to_write(Path(folder))
            with _small():
                ray.init("local", num_cpus=self._cpus(), include_dashboard=False, **_SETTINGS)
        except Exception as error:
            raise no_ray_here(error, folder) from error

    def _join(self, address: str) -> None:
        given = self._options.address
        by = "RAY_ADDRESS" if given is None else "--address"
        said = os.environ.get("RAY_ADDRESS") or address if address == "auto" else address
        try:
            found = said if ":" in said else services.canonicalize_bootstrap_address(said)
            check_endpoint(found or "")
            ray.init(address, **_SETTINGS)
        except Exception as error:
            raise no_cluster(error, said, named_by=by) from error

    @property
    def head(self) -> str | None:
        """Address of the head, once connected; None through Ray Client, which looks itself."""
        if ray.util.client.ray.is_connected():  # type: ignore[no-untyped-call]
            return None
        return str(ray.get_runtime_context().gcs_address)

    @property
    def raylet(self) -> str | None:
        """Address of Ray's process on this machine, once connected; None through Ray Client."""
        if self.head is None:
            return None
        here = ray.get_runtime_context().get_node_id()
        nodes = ray.nodes()  # type: ignore[no-untyped-call]
        node = next(node for node in nodes if node["NodeID"] == here)
        return f"{node['NodeManagerAddress']}:{node['NodeManagerPort']}"

    @property
    def ended(self) -> Collection[str]:
        """Of a Ray of our own, what Ray calls those of its processes that have ended."""
        own = ray._private.worker._global_node if self.is_own else None
        return [] if own is None else [kind for kind, _ in own.dead_processes()]

    def leave(self) -> None:
        """Disconnect, and end a Ray of our own."""
        if self._leaves:
            ray.shutdown()
            self._leaves = False

    @property
    def beside_driver(self) -> NodeAffinitySchedulingStrategy:
        """Where an actor is on the driver's node, once connected."""
        here = ray.get_runtime_context().get_node_id()
        return NodeAffinitySchedulingStrategy(here, soft=False)

    def _cpus(self) -> int:
        return max(os.cpu_count() or 1, math.ceil(self._workers * self._options.cpus_per_worker))


def _try_to_write(folder: Path) -> None:
    """Fail as a disk does: from Ray one hears, after half a minute, that something did not start.

    Raises:
        OSError: Nothing can be written there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(_ROOM))
        file.flush()


def _say_nothing(*_args: Any, **_named: Any) -> None:
    """Ray prints the log of a process of its own that has ended, some fifty lines."""


class _SmallNode(node.Node):
    """A node without processes of Ray at which nobody looks here."""

    def start_api_server(self, **_: Any) -> None:
        """Without a dashboard, it would report the use of Ray, if its users allow that."""
        self._webui_url = ""

    def start_monitor(self) -> None:
        """It would look for more nodes."""

    def start_log_monitor(self) -> None:
        """It would send on what workers print, which goes elsewhere."""

    def start_raylet(self, *args: Any, **named: Any) -> None:
        """Its raylet without an agent of the dashboard, for which the start of a node waits."""
        with _without_agent():
            super().start_raylet(*args, **named)


@contextmanager
def _without_agent() -> Iterator[None]:
    """Have raylets start `no_agent`, with a Ray that waits for the ports of which it tells."""
    name = "_build_python_executable_command_memory_profileable"
    known = getattr(services, name, None)
    ports = {getattr(_raylet, port) for port in dir(_raylet) if port.endswith("_PORT_NAME")}
    if known is None or ports != {*no_agent.PORTS, *_PORTS_OF_OTHERS}:
        yield
        return

    def python(component: str, *args: Any, **named: Any) -> list[str]:
        if component == PROCESS_TYPE_DASHBOARD_AGENT:
            return [sys.executable, "-I", "-S", no_agent.__file__]
        return list(known(component, *args, **named))

    setattr(services, name, python)
    try:
        yield
    finally:
        setattr(services, name, known)


@contextmanager
def _small() -> Iterator[None]:
    """Have `ray.init` start no more of Ray than is needed: each process is Python, with Ray."""
    known, node.Node = node.Node, _SmallNode  # type: ignore[misc]
    try:
        yield
    finally:
        node.Node = known  # type: ignore[misc]


@contextmanager
def _own_handlers() -> Iterator[None]:
    """Keep handlers of signals: Ray puts its own in their place, which end the process at once.

    They are set anew even if they look the same: below Python, Ray may have set others.
    """
    before = (
        {number: signal.getsignal(number) for number in _SIGNALS}
        if threading.current_thread() is threading.main_thread()
        else {}
    )
    try:
        yield
    except SystemExit as error:  # of Ray's handler, as long as it was in place
        raise KeyboardInterrupt from error
    finally:
        for number, handler in before.items():
            if callable(handler):
                signal.signal(number, handler)
