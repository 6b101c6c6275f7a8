"""What Ray says of a process that has ended, as a class of the ledger."""

from __future__ import annotations

import pytest
from ray import cloudpickle
from ray.core.generated.common_pb2 import ActorDiedErrorContext, NodeDeathInfo
from ray.exceptions import ActorDiedError, RayTaskError

from study.drivers import Loss
from study.drivers.ray_tune.slot_losses import (
    KilledForMemory,
    NodeDrained,
    in_words,
    loss_of,
    loss_with,
)

ACTOR = b"0" * 16


def died(message: str, node: NodeDeathInfo.Reason.ValueType | None = None) -> ActorDiedError:
    """The error of an actor that has died, as Ray makes it from what its head says."""
    info = None if node is None else NodeDeathInfo(reason=node)
    context = ActorDiedErrorContext(error_message=message, actor_id=ACTOR, node_death_info=info)
    return ActorDiedError(cause=context)


NODE_DIED = "The actor died because its node has died. Node Id: 0a"


@pytest.mark.parametrize(
    ["error", "loss"],
    [
        (died("The process was killed."), Loss.WORKER),
        (died(NODE_DIED), Loss.NODE),
        (died(NODE_DIED, NodeDeathInfo.UNEXPECTED_TERMINATION), Loss.NODE),
        (died(NODE_DIED, NodeDeathInfo.AUTOSCALER_DRAIN_PREEMPTED), Loss.PREEMPTED),
        (KilledForMemory("too much"), Loss.MEMORY),
        (RayTaskError("train", "", NodeDrained("soon")).as_instanceof_cause(), Loss.PREEMPTED),
        (None, Loss.WORKER),
    ],
    ids=["process", "node", "node-unexpected", "spot", "memory", "notice", "unknown"],
)
def test_a_loss_has_its_class(error: Exception | None, loss: Loss) -> None:
    kept = cloudpickle.loads(cloudpickle.dumps(error))  # as Ray Tune hands it over
    assert loss_of(kept) is loss


def test_a_node_that_is_thought_to_live_explains_nothing() -> None:
    nodes = [{"NodeID": "a", "Alive": True}, a_dead_node("b", NodeDeathInfo.UNSPECIFIED)]
    assert loss_with("a", nodes) is None
    assert loss_with("c", nodes) is None


@pytest.mark.parametrize(
    ["reason", "loss"],
    [
        (NodeDeathInfo.UNEXPECTED_TERMINATION, Loss.NODE),
        (NodeDeathInfo.EXPECTED_TERMINATION, Loss.NODE),
        (NodeDeathInfo.AUTOSCALER_DRAIN_PREEMPTED, Loss.PREEMPTED),
    ],
    ids=["unexpected", "expected", "spot"],
)
def test_what_cannot_be_reached_is_lost_with_its_node(reason: int, loss: Loss) -> None:
    assert loss_with("a", [a_dead_node("b", 3), a_dead_node("a", reason)]) is loss


def a_dead_node(name: str, reason: int) -> dict[str, object]:
    """A node as `ray.nodes` tells of it."""
    return {"NodeID": name, "Alive": False, "DeathReason": reason}


def test_words_name_the_kind_first() -> None:
    assert in_words(KilledForMemory("node is full\n\n  of tensors")).splitlines() == [
        "KilledForMemory",
        "node is full",
        "of tensors",
    ]


def test_of_a_traceback_the_last_line_is_told() -> None:
    raised = died('It failed in its creation:\n  File "slot.py", line 1, in setup\nOSError: no way')
    assert in_words(raised).splitlines() == ["ActorDiedError", "OSError: no way"]
