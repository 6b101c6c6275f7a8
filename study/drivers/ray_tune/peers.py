"""Processes that train together with a slot's worker, each in a bundle of the slot's resources."""

from __future__ import annotations

import pickle
import time
from contextlib import suppress
from typing import Any

import ray
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from study.drivers.local.fork_server import ForkServer, take_fork_server
from study.drivers.peers import LocalPeers, Missing, Trouble, of_rank
from study.drivers.ray_tune.slot_losses import in_words, loss_of
from trainers.events import Open, OpenFailed, Rendezvous

_LOOK_S = 0.25


class PeerHost:
    """Actor that looks after one of the processes, on any node; as a slot does after its worker."""

    def __init__(self, opening: bytes, near: str | None) -> None:
        self._peers = LocalPeers(fork_server(near), [pickle.loads(opening)])

    def meet(self, meeting: bytes) -> None:
        """The worker can be found."""
        self._peers.meet(pickle.loads(meeting))

    def trouble(self) -> bytes:
        """Wait until something is wrong with the process, and say what."""
        while (trouble := self._peers.trouble()) is None:
            time.sleep(_LOOK_S)
        return pickle.dumps(trouble)


class RayPeers:
    """The processes of one group, in the bundles after the worker's own.

    They end with the slot, which owns their hosts.

    Args:
        opening: The worker's.
        near: Where the driver's fork server listens, if all are on one machine.
    """

    def __init__(self, _fork_server: ForkServer, opening: Open, *, near: str | None = None) -> None:
        # a process sees no other GPU than that of its bundle
        opened = [of_rank(opening, rank, opening.device) for rank in range(1, opening.ranks)]
        self._hosts = [_host(one, near) for one in opened]
        self._waiting = [host.trouble.remote() for host in self._hosts]

    def meet(self, meeting: Rendezvous) -> None:
        """The worker can be found."""
        for host in self._hosts:
            host.meet.remote(pickle.dumps(meeting))

    def trouble(self) -> Trouble | None:
        """What has become of the first that is not well."""
        if not self._waiting:
            return None
        ready, _ = ray.wait(self._waiting, timeout=0)
        if not ready:
            return None
        self._waiting.remove(ready[0])
        try:
            found: OpenFailed | Missing = pickle.loads(ray.get(ready[0]))
        except ray.exceptions.RayError as error:
            return Missing(in_words(error), loss_of(error))
        return found

    def end(self) -> None:
        """End the hosts, and the processes with them."""
        for host in self._hosts:
            ray.kill(host)
        self._hosts.clear()
        self._waiting.clear()


def _host(opening: Open, near: str | None) -> Any:
    group: Any = ray.util.get_current_placement_group()
    resources = group.bundle_specs[opening.rank]
    there = PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=opening.rank)
    host = ray.remote(PeerHost).options(
        num_cpus=resources.get("CPU", 0),
        num_gpus=resources.get("GPU", 0),
        max_concurrency=2,  # it hears while it waits for trouble
        scheduling_strategy=there,
    )
    return host.remote(pickle.dumps(opening), near)


def fork_server(near: str | None) -> ForkServer:
    """A fork of the driver's, where there is one."""
    if near is not None:
        with suppress(OSError):  # the driver's has ended
            return ForkServer.near(near)
    return take_fork_server()
