"""What Ray says of a slot whose process has ended: its class in the ledger, and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ray.core.generated.common_pb2 import NodeDeathInfo  # type: ignore[attr-defined]
from ray.exceptions import RayActorError

from study.drivers.protocol import Loss

# Ray gives an actor's end no reason but in words; these are of its head's `GenNodeDiedCause`
_NODE_DIED = "its node has died"


class NodeDrained(Exception):
    """Ends a slot whose node is about to be taken away; Ray Tune places it elsewhere."""


class KilledForMemory(RayActorError):
    """A slot's process that Ray's memory monitor has ended."""

    def __init__(self, message: str) -> None:
        super().__init__(error_msg=message)


def loss_of(error: Exception | None) -> Loss:
    """The class of what has ended a slot's process."""
    if isinstance(error, KilledForMemory):
        return Loss.MEMORY
    if isinstance(error, NodeDrained):  # which Ray raises as an error of its own, too
        return Loss.PREEMPTED
    if not isinstance(error, RayActorError):
        return Loss.WORKER
    if error.preempted:
        return Loss.PREEMPTED
    return Loss.NODE if _NODE_DIED in str(error) else Loss.WORKER


def in_words(error: Exception | None) -> str:
    """What Ray says of a process that has ended: its kind first; of a traceback, the last line."""
    if error is None:
        return "for an unknown reason"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if any(line.startswith('File "') for line in lines):
        lines = lines[-1:]
    return "\n".join([type(error).__name__, *lines])


def loss_with(node: str, nodes: Sequence[Mapping[str, Any]]) -> Loss | None:
    """The class of what was lost with a node; None while the node is thought to be alive.

    Args:
        nodes: As `ray.nodes` has them.
    """
    found = next((one for one in nodes if one["NodeID"] == node), None)
    if found is None or found["Alive"]:
        return None
    preempted = found["DeathReason"] == NodeDeathInfo.AUTOSCALER_DRAIN_PREEMPTED
    return Loss.PREEMPTED if preempted else Loss.NODE
