"""Ray's memory monitor ends what it likes; Ray Tune goes on, and the loss has its class."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import ray

import tests
from study.drivers import Loss, RayOptions, WorkerLost
from study.drivers.ray_tune.cluster import Cluster
from study.drivers.ray_tune.driver import RayDriver
from tests.integration.clusters import add_node, head_with
from trainers.jobs import ProblemRef, Training

DEADLINE_S = 300.0
TOY = ProblemRef(target="toy:Toy", folder=str(Path(tests.__path__[0])))


@pytest.fixture
def crowded() -> Iterator[None]:
    """A head for the driver, and a node on which every process takes too much memory."""
    cluster = head_with(num_cpus=0)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_memory_usage_threshold", "0.001")
        patch.setenv("RAY_memory_monitor_refresh_ms", "100")
        add_node(cluster, num_cpus=1)
    yield
    ray.shutdown()
    cluster.shutdown()


def test_slots_that_are_ended_for_memory_are_followed_by_others(crowded: None) -> None:
    driver = RayDriver(
        TOY,
        Training(epochs=1, batch_size=6),
        device="cpu",
        workers=1,
        cluster=Cluster(RayOptions(), workers=1),
    )
    lost: list[Loss] = []
    deadline_s = time.monotonic() + DEADLINE_S
    with closing(driver):
        driver.start()
        while len(lost) < 2:
            assert time.monotonic() < deadline_s, lost
            lost += [event.loss for event in driver.poll(0.5) if isinstance(event, WorkerLost)]
    assert set(lost) == {Loss.MEMORY}
