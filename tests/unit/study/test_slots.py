"""What a slot of the Ray driver may take of its node."""

from __future__ import annotations

import pytest

from study.drivers.ray_tune.orders import WorkerOptions
from study.drivers.ray_tune.slot import memory_share
from trainers.jobs import ProblemRef, Training


@pytest.mark.parametrize(
    ["resources", "workers", "share"],
    [
        ({"cpu": 1.0, "gpu": 0.25}, 9, 0.25),
        ({"cpu": 1.0, "gpu": 2.0}, 9, 1.0),
        ({"cpu": 2.0}, 9, 0.25),
        ({"cpu": 2.0}, 2, 0.5),
        ({"cpu": 16.0}, 9, 1.0),
    ],
    ids=["part of a GPU", "GPUs", "full node", "few workers", "more than the node has"],
)
def test_memory_is_shared_by_those_for_whom_there_is_room(
    resources: dict[str, float], workers: int, share: float
) -> None:
    options = WorkerOptions(
        problem=ProblemRef(target="toy:Toy"),
        training=Training(epochs=1, batch_size=6),
        device="cuda" if "gpu" in resources else "cpu",
        workers=workers,
        resources=resources,
    )
    assert memory_share(options, node_cpus=8.0) == share
