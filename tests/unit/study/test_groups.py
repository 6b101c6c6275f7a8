"""A worker and the processes that train with it are lost as one, for the reason of the first."""

from __future__ import annotations

import pytest

from study.drivers import FromWorker, Loss, WorkerLost
from study.drivers.local.groups import Groups
from study.drivers.peers import Missing, Trouble, device_after, first_devices
from trainers.events import OpenFailed, Rendezvous

KILLED, CRASHED = "signal SIGKILL", "exit code 1"
AWAY = Missing("its node has died", Loss.NODE)


class Peers:
    """Processes that have been told what is wrong with them."""

    def __init__(self, *troubles: Trouble) -> None:
        self._troubles = list(troubles)
        self.over = False

    def meet(self, meeting: Rendezvous) -> None: ...

    def trouble(self) -> Trouble | None:
        return self._troubles.pop(0) if self._troubles else None

    def end(self) -> None:
        self.over = True


def group(*troubles: Trouble) -> tuple[Groups, Peers]:
    groups, peers = Groups(), Peers(*troubles)
    groups.add(3, peers)
    return groups, peers


def looked_after(groups: Groups) -> tuple[list[object], list[int]]:
    """Events, and the workers that were killed."""
    killed: list[int] = []
    return list(groups.look_after(killed.append)), killed


def test_who_is_well_is_left_alone() -> None:
    assert looked_after(group()[0]) == ([], [])


def test_a_worker_ends_with_a_peer_once() -> None:
    groups, _ = group(AWAY, AWAY)
    assert looked_after(groups) == ([], [3])
    assert looked_after(groups) == ([], [])


def test_a_problem_that_a_peer_cannot_open_is_the_worker_s() -> None:
    failed = OpenFailed("no data here")
    assert looked_after(group(failed)[0]) == ([FromWorker(3, failed)], [])


@pytest.mark.parametrize("how", [KILLED, CRASHED])
def test_a_worker_that_was_ended_for_a_peer_has_its_class_and_reason(how: str) -> None:
    groups, _ = group(AWAY)
    looked_after(groups)
    lost = groups.lost(3, how)
    assert lost.loss is Loss.NODE
    assert lost.reason.startswith(AWAY.reason)


@pytest.mark.parametrize(
    ("how", "trouble", "reason"),
    [
        (KILLED, Missing(CRASHED), KILLED),
        (CRASHED, Missing(KILLED), KILLED),
        (CRASHED, Missing(f"{CRASHED}: tired"), f"{CRASHED}: tired\n{CRASHED}"),
    ],
)
def test_of_several_that_have_ended_the_cause_is_told(
    how: str, trouble: Missing, reason: str
) -> None:
    assert group(trouble)[0].lost(3, how) == WorkerLost(3, reason)


def test_peers_end_with_their_worker() -> None:
    groups, peers = group()
    assert groups.lost(3, KILLED) == WorkerLost(3, KILLED)
    assert peers.over


def test_a_worker_without_peers_is_lost_alone() -> None:
    assert Groups().lost(0, CRASHED) == WorkerLost(0, CRASHED)


@pytest.mark.parametrize(
    ("device", "ranks", "devices"),
    [
        ("cuda", 1, ["cuda:0", "cuda:0"]),
        ("cuda:1", 1, ["cuda:1", "cuda:1"]),
        ("cuda", 2, ["cuda:0", "cuda:2"]),
        ("cuda:1", 3, ["cuda:1", "cuda:4"]),
        ("cpu", 2, ["cpu", "cpu"]),
    ],
)
def test_gpus_are_counted_through(device: str, ranks: int, devices: list[str]) -> None:
    assert first_devices(device, workers=2, ranks=ranks) == devices


@pytest.mark.parametrize(
    ("workers", "n_gpus", "devices"),
    [
        (8, 8, [f"cuda:{n}" for n in range(8)]),
        (3, 2, ["cuda:0", "cuda:1", "cuda:0"]),
        (2, 1, ["cuda:0", "cuda:0"]),
    ],
)
def test_workers_are_spread_over_all_gpus(workers: int, n_gpus: int, devices: list[str]) -> None:
    assert first_devices("cuda", workers=workers, ranks=1, n_gpus=n_gpus) == devices


def test_peers_are_on_the_devices_after_the_worker_s() -> None:
    assert device_after("cuda:2", 1) == "cuda:3"
