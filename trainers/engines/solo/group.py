"""The processes that train one run together, each on a device of its own.

The first one leads: it is the worker, and tells the others what to do. Who has died is noticed by
the driver, which then ends the others: nobody waits in vain.
"""

from __future__ import annotations

import os
import pickle
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import torch

from trainers.errors import ProcessMustEnd

if TYPE_CHECKING:
    from torch import Tensor
    from torch._C._distributed_c10d import ProcessGroup, TCPStore

_IDLE = timedelta(days=365)
"""Until the next command; no packs may come for long."""
_IN_STEP = timedelta(minutes=30)
"""Between processes in the same step, before one of them counts as hung."""
_LOOPBACK = "127.0.0.1"


class GroupBroken(ProcessMustEnd):
    """Something went wrong in one process while others wait for it."""


@dataclass(frozen=True, slots=True)
class RunGroup:
    """One process's place among those that train a run together.

    Attributes:
        rank: From 0 to `size` - 1; 0 leads.
        data: Over which gradients and losses travel.
    """

    rank: int
    size: int
    data: ProcessGroup

    def say(self, command: object) -> None:
        """As the leader, tell the others what to do."""
        from torch import distributed

        distributed.broadcast_object_list([pickle.dumps(command)], src=0)

    def hear(self) -> Any:
        """What the leader says next, however long it takes."""
        from torch import distributed

        heard: list[Any] = [None]
        distributed.broadcast_object_list(heard, src=0)
        return pickle.loads(heard[0])

    def add_up(self, values: Tensor) -> Tensor:
        """The sum of everybody's values ``[...]``, the same bits for all; in place."""
        from torch import distributed

        distributed.all_reduce(values, group=self.data)
        return values

    def align(self, values: Tensor) -> None:
        """Take over the leader's values ``[...]``, in place."""
        from torch import distributed

        distributed.broadcast(values, src=0, group=self.data)

    def told(self, text: str) -> list[str]:
        """What everybody has to say, in order of rank."""
        from torch import distributed

        texts: list[Any] = [""] * self.size
        distributed.all_gather_object(texts, text)
        return texts


def open_store(host: str) -> TCPStore:
    """As the leader, open the place where the others find each other; see its `port`."""
    from torch._C._distributed_c10d import TCPStore

    return TCPStore(host, 0, is_master=True, wait_for_workers=False, timeout=_IDLE)


def find_store(host: str, port: int) -> TCPStore:
    """As one of the others, find the place that the leader has opened."""
    from torch._C._distributed_c10d import TCPStore

    return TCPStore(host, port, is_master=False)


def join(store: TCPStore, *, rank: int, size: int, device: torch.device) -> RunGroup:
    """Meet the others; returns when all are there."""
    from torch import distributed

    if store.host == _LOOPBACK and sys.platform == "linux":
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # nothing is heard outside
    if device.type == "cuda":
        torch.cuda.set_device(device)
    store.set_timeout(_IDLE)
    distributed.init_process_group("gloo", store=store, rank=rank, world_size=size, timeout=_IDLE)
    backend = "nccl" if device.type == "cuda" else "gloo"
    data: Any = distributed.new_group(backend=backend, timeout=_IN_STEP)
    return RunGroup(rank, size, data)
