"""Real studies on Ray: as local ones to the last bit, whatever dies under way."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ray._private.node import Node
from ray._raylet import GcsClient
from ray.cluster_utils import Cluster
from ray.core.generated.autoscaler_pb2 import DrainNodeReason

from storage import RunState
from study.drivers.ray_tune import endpoints
from tests import toy
from tests.contract.storage_backends import postgres_schema
from tests.integration import comparable
from tests.integration.clusters import add_node, head_with
from tests.integration.command import IMPATIENT, WARM, begun, command, ended, typed
from tests.integration.driving import (
    complete,
    descendants,
    states,
    wait_for_done_runs,
    wait_for_runs,
)

pytestmark = pytest.mark.slow

STUDY = "clustered"
PACK_SIZE = 2
SPEC = f"""
name = "{STUDY}"
problem = "toy:Toy"
seeds = [0, 1]
[training]
epochs = 12
batch_size = 4
optimizer = "sgd"
pack_size = {PACK_SIZE}
checkpoint_s = 0.05
[[search]]
weighting = "ew"
stages = [{{ lr = [0.02, 0.05] }}]
[[search]]
weighting = "uw-so"
stages = [{{ lr = [0.05] }}, {{ temperature = {{ line = [1, 10] }} }}]
[[search]]
weighting = "scalarization"
[[search.stages]]
lr = [0.02, 0.05]
task_weights = {{ dirichlet = 4, floor = 0.05 }}
strategy = "random"
trials = 4
stop = {{ rule = "pbt", rungs = [6], quantile_fraction = 0.5 }}
"""
NODES = 2
NEEDLESS = {"dashboard.py", "monitor.py", "log_monitor.py"}
"""Of Ray's own processes, those at which nobody looks on a Ray of a study's own."""
# trains until it is stopped, at leisure
ENDLESS = """
name = "endless"
problem = "toy:Toy"
problem_options = { troubles = ["rests"] }
seeds = [0]
training = { epochs = 10_000_000, batch_size = 12, optimizer = "sgd", pack_size = 1 }
[[search]]
weighting = "ew"
stages = [{ lr = [0.02, 0.05] }]
[baseline.metrics]
level = { error = 1.0 }
kind = { error = 0.5 }
flag = { error = 0.5 }
rests = { error = 1.0 }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(STUDY)
    (folder / f"{STUDY}.toml").write_text(SPEC)
    shutil.copy(toy.__file__, folder / "toy.py")
    return folder


@pytest.fixture(scope="module")
def undisturbed(folder: Path) -> str:
    """The database of the study as the local driver trains it."""
    url = f"sqlite:///{folder / 'local.db'}"
    complete(folder / f"{STUDY}.toml", url)
    return url


@pytest.fixture(scope="module")
def head() -> Iterator[Cluster]:
    """A head that trains nothing, to which all drivers connect."""
    cluster = head_with(num_cpus=0)
    yield cluster
    cluster.shutdown()


@pytest.fixture
def cluster(head: Cluster, request: pytest.FixtureRequest) -> Cluster:
    """As many nodes of one core each as a test asks for, or more that others have left."""
    return grown(head, request.param)


def grown(head: Cluster, n_nodes: int) -> Cluster:
    while len(head.worker_nodes) < n_nodes:
        add_node(head, num_cpus=1)
    return head


@dataclass(frozen=True)
class Disturbed:
    """Where the database of a study is, and the checkpoints that all nodes see."""

    url: str
    checkpoints: Path


@pytest.fixture(scope="module")
def disturbed(
    folder: Path, head: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Disturbed]:
    """A study whose driver was killed; beneath the next one, a node died.

    That one starts while the first one's actor may still be there: it has room.
    """
    cluster, kept = grown(head, NODES), tmp_path_factory.mktemp("checkpoints")
    where = ("--address", cluster.address, "--checkpoints", f"file://{kept}")
    with postgres_schema() as url:
        with begun(folder, *_on_ray(url, *where, "--workers", "1"), module=WARM) as driver:
            wait_for_done_runs(url, STUDY, 6)
            driver.kill()
        both = ("--workers", str(NODES))
        with begun(folder, *_on_ray(url, *where, *both), module=WARM) as driver:
            wait_for_runs(url, STUDY, RunState.LEASED, PACK_SIZE + 1)  # each node has a pack
            cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)
            said = ended(driver)
        assert said.code == 0, said.err
        yield Disturbed(url, kept)


def of_nodes(n: int) -> pytest.MarkDecorator:
    """How many nodes the test's `cluster` has at least."""
    return pytest.mark.parametrize("cluster", [n], indirect=True, ids=[f"{n} nodes"])


def test_a_ray_of_its_own_gives_what_the_local_driver_gives(folder: Path, undisturbed: str) -> None:
    url = f"sqlite:///{folder / 'ray.db'}"
    said = typed(folder, *_on_ray(url, "--workers", "2"))
    assert said.code == 0, said.err
    _assert_same_results(url, undisturbed)


def test_neither_the_end_of_a_driver_nor_of_a_node_changes_anything(
    disturbed: Disturbed, undisturbed: str
) -> None:
    _assert_same_results(disturbed.url, undisturbed)


def test_the_end_of_a_driver_and_of_a_node_are_told_apart(disturbed: Disturbed) -> None:
    assert comparable.losses(disturbed.url, STUDY) == {"DriverLost", "NodeLost"}


def test_checkpoints_of_finished_runs_are_not_left_behind(disturbed: Disturbed) -> None:
    assert not comparable.checkpoint_files(disturbed.checkpoints)


@of_nodes(2)
def test_on_notice_a_node_is_left_before_it_goes(folder: Path, cluster: Cluster) -> None:
    """What is in training there is saved: no epoch is trained twice, unlike after a loss."""
    url = f"sqlite:///{folder / 'spot.db'}"
    (folder / "endless.toml").write_text(ENDLESS)
    where = ("--driver", "ray", "--address", cluster.address, "--workers", "2")
    leaving = list(cluster.worker_nodes)[1:]
    run = ("run", "endless.toml", "--storage", url)
    with begun(folder, *run, *where, module=WARM) as driver:
        wait_for_runs(url, "endless", RunState.LEASED, 2)
        for node in leaving:
            _give_notice(cluster, node)
        wait_for_runs(url, "endless", RunState.WAITING, 1)  # there is one core left
        assert "released" in {state for _, state in comparable.attempts(url, "endless")}
        wait_for_runs(url, "endless", RunState.LEASED, 1)
        driver.send_signal(signal.SIGTERM)  # for which Ray has a handler that ends the process
        assert ended(driver).code == 130
    # of runs that were handed out to a slot on its way
    assert comparable.losses(url, "endless") <= {"Preempted"}
    for node in leaving:
        cluster.remove_node(node)
    epochs = {(*run, epoch) for *run, epoch, _, _, _, _ in comparable.epochs(url, "endless")}
    assert comparable.epochs_trained(url, "endless") == len(epochs)


@of_nodes(1)  # the last test of the module with a cluster, which has no head then
def test_without_its_head_a_driver_ends_and_the_study_can_go_on_elsewhere(
    folder: Path, cluster: Cluster
) -> None:
    url = f"sqlite:///{folder / 'headless.db'}"
    (folder / "endless.toml").write_text(ENDLESS)
    where = ("--address", cluster.address, "--driver", "ray")
    run = ("run", "endless.toml", "--storage", url)
    command_line = (*run, *where, "--workers", "1")
    with begun(folder, *command_line, module=IMPATIENT) as driver:
        wait_for_runs(url, "endless", RunState.LEASED, 1)
        cluster.head_node.kill_gcs_server()
        said = ended(driver)
    assert said.code == 2, said
    assert said.err.splitlines() == [
        "error Ray must be there as long as a study runs. It is not any more: its head does not "
        "answer. Look at the cluster, then run the same command again; nothing is lost."
    ]
    assert states(url, "endless") == {RunState.WAITING: 2}
    assert comparable.losses(url, "endless") == {"ClusterLost"}
    with begun(folder, *run, "--workers", "1", module=WARM) as driver:
        wait_for_runs(url, "endless", RunState.LEASED, 1)
        driver.send_signal(signal.SIGHUP)
        assert ended(driver).code == 130


def test_the_end_of_its_own_raylet_is_one_sentence(folder: Path) -> None:
    url = f"sqlite:///{folder / 'own.db'}"
    (folder / "endless.toml").write_text(ENDLESS)
    run = ("run", "endless.toml", "--storage", url, "--workers", "1", "--driver", "ray")
    with begun(folder, *run, module=WARM) as driver:
        wait_for_runs(url, "endless", RunState.LEASED, 1)
        processes = descendants(driver.pid)
        (raylet,) = [pid for pid in processes if name_of(pid) == "raylet"]
        needless = {script for pid in processes for script in scripts_of(pid)} & NEEDLESS
        os.kill(raylet, signal.SIGKILL)
        said = ended(driver)
    assert said.code == 2
    assert said.err.splitlines() == [
        "error Ray must be there as long as a study runs. It is not any more: its raylet on this "
        "machine has ended. Look at the cluster, then run the same command again; nothing is lost."
    ]
    assert "raylet" not in said.out
    assert states(url, "endless") == {RunState.WAITING: 2}
    assert not needless


def scripts_of(pid: int) -> set[str]:
    """Names of the files that a process was told to run."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return set()
    return {Path(word).name for word in words if word.endswith(".py")}


def name_of(pid: int) -> str:
    """A process's name; empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1:1", "Connection refused"),
        ("ray://127.0.0.1:1", "Connection refused"),
        ("127.0.0.1:port", "invalid literal for int()"),
    ],
)
def test_an_address_without_a_cluster_is_refused(
    folder: Path, address: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "_REFUSED_S", 0.0)
    url = f"sqlite:///{folder / 'nowhere.db'}"
    said = command(folder, *_on_ray(url, "--address", address))
    assert said.code == 2
    assert f"{address!r} does not: " in said.err
    assert why in said.err


def _give_notice(cluster: Cluster, node: Node) -> None:
    """As an autoscaler does for a spot machine that is about to be taken away."""
    why, until_s = DrainNodeReason.DRAIN_NODE_REASON_PREEMPTION, time.time() + 600
    head = GcsClient(address=cluster.address)
    accepted, rejection = head.drain_node(node.node_id, why, "spot", int(until_s * 1000))
    assert accepted, rejection


def _on_ray(url: str, *options: str) -> tuple[str, ...]:
    return ("run", f"{STUDY}.toml", "--driver", "ray", "--storage", url, *options)


def _assert_same_results(url: str, other: str) -> None:
    """Results and decisions have the same bits, and no run came to a rung or its end twice."""
    assert comparable.results(url, STUDY) == comparable.results(other, STUDY)
    assert comparable.epochs(url, STUDY) == comparable.epochs(other, STUDY)
    assert comparable.decisions(url, STUDY) == comparable.decisions(other, STUDY)
    assert _finished(url) == _finished(other)


def _finished(url: str) -> list[int]:
    """Of each run, how often an attempt at it came to its end or to a rung."""
    ended = [run for run, state in comparable.attempts(url, STUDY) if state == "finished" and run]
    return sorted(Counter(ended).values())
