"""Processes that train together with a worker: who they are, and when one of them is missing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from study.drivers.local.fork_server import Child, ForkServer
from study.drivers.protocol import Loss
from study.drivers.vital_signs import Process
from trainers.events import Open, OpenFailed, Rendezvous


@dataclass(frozen=True, slots=True)
class Missing:
    """How one of the processes has ended."""

    reason: str
    loss: Loss = Loss.WORKER


Trouble = OpenFailed | Missing
"""One of the processes could not open its problem, or has ended."""


class Peers(Protocol):
    """All processes of a group but the worker itself; they end with it."""

    def meet(self, meeting: Rendezvous) -> None:
        """The worker can be found."""

    def trouble(self) -> Trouble | None:
        """What has become of the first of them that is not well; does not wait."""

    def end(self) -> None:
        """End them all."""


OpenPeers = Callable[[ForkServer, Open], Peers]
"""Starts the processes that train together with the worker that is opened like this."""


class LocalPeers:
    """Processes of this machine.

    Args:
        openings: What each is opened with.
    """

    def __init__(self, fork_server: ForkServer, openings: Sequence[Open]) -> None:
        self._fork_server = fork_server
        self._children: list[Child] = []
        for opening in openings:
            child = fork_server.spawn()
            self._children.append(child)
            _send(child, opening)

    def meet(self, meeting: Rendezvous) -> None:
        """The worker can be found."""
        for child in self._children:
            _send(child, meeting)

    def trouble(self) -> Trouble | None:
        """What has become of the first that is not well."""
        self._fork_server.hear()
        for child in self._children:
            ended = self._fork_server.process(child) is Process.ENDED  # looked at before its pipe
            try:
                if child.pipe.poll():
                    message: OpenFailed
                    (message,) = child.pipe.recv()
                    return message
            except (EOFError, OSError):
                ended = True
            if ended:
                self._children.remove(child)
                return Missing(self._fork_server.reaped(child).how)
        return None

    def end(self) -> None:
        """Close the pipes, at which the processes exit."""
        for child in self._children:
            child.pipe.close()
            child.output.close()
        self._children.clear()


def on_this_machine(fork_server: ForkServer, opening: Open) -> LocalPeers:
    """The others of a worker of this machine, on the devices after its own."""
    return LocalPeers(fork_server, [of_rank(opening, rank) for rank in range(1, opening.ranks)])


def of_rank(opening: Open, rank: int, device: str | None = None) -> Open:
    """The opening of another process of the group."""
    return Open(
        problem=opening.problem,
        device=device or device_after(opening.device, rank),
        threads=opening.threads,
        asked_s=time.monotonic(),
        precision=opening.precision,
        rank=rank,
        ranks=opening.ranks,
        host=opening.host,
    )


def first_devices(device: str, *, workers: int, ranks: int, n_gpus: int = 1) -> list[str]:
    """Each worker's own device, with its number.

    ``cuda`` stands for all GPUs: workers are spread over them, and share them if there are more.
    Workers of several processes count through GPUs. Any other device is shared by all.
    """
    if ranks > 1:
        return [device_after(device, worker * ranks) for worker in range(workers)]
    if device != "cuda":
        return [device] * workers
    return [device_after(device, worker % n_gpus) for worker in range(workers)]


def device_after(device: str, n: int) -> str:
    """``cuda:3`` for ``cuda:1`` and 2; there is but one ``cpu``."""
    kind, _, number = device.partition(":")
    return f"cuda:{int(number or 0) + n}" if kind == "cuda" else device


def _send(child: Child, message: Open | Rendezvous) -> None:
    try:
        child.pipe.send(message)
    except OSError:
        return  # it is dead; `trouble` finds its pipe closed and says so
