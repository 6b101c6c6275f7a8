"""``weighbridge ray doctor`` on real clusters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from study.drivers.ray_tune import endpoints
from tests.integration.clusters import add_node, head_with
from tests.integration.command import command

pytestmark = pytest.mark.slow

SPEC = """
name = "mine"
problem = "{module}:Toy"
seeds = [0]
training = {{ epochs = 1, batch_size = 4 }}
[[search]]
weighting = "ew"
stages = [{{ lr = [0.05] }}]
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Two nodes with room for three workers.

    One says that it has GPUs, which torch does not see.
    """
    cluster = head_with(num_cpus=1)
    add_node(cluster, num_cpus=2, num_gpus=2)
    yield cluster.address
    cluster.shutdown()


def test_a_cluster_that_has_all_is_told_so(address: str, tmp_path: Path) -> None:
    (tmp_path / "there.py").write_text("")
    (tmp_path / "mine.toml").write_text(SPEC.format(module="there"))
    said = command(tmp_path, "ray", "doctor", "mine.toml", "--address", address)
    assert (said.code, said.err) == (0, "")
    assert "No problems found. Workers that fit: 3." in said.out
    assert said.out.count("shared") == 2
    assert f"run mine.toml --driver ray --address {address} --workers 3" in said.text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.toml", "there.py"]


def test_what_is_lacking_is_told_and_the_code_is_1(address: str, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(SPEC.format(module="gone"))
    options = ("--address", address, "--gpus-per-worker", "0.5", "--json")
    said = command(tmp_path, "ray", "doctor", "mine.toml", *options)
    assert said.code == 1, said.err
    gpus, module = said.json["findings"]
    assert "Ray gives out 2 GPUs, of which torch sees 0." in gpus["text"]
    assert "the module `gone` of the study" in module["text"]
    assert len(gpus["nodes"]) == len(module["nodes"]) == 1
    assert [node["room"] for node in said.json["nodes"]].count(2) == 1


def test_a_ray_of_its_own_is_looked_at_too(tmp_path: Path) -> None:
    said = command(tmp_path, "ray", "doctor", "--json")
    assert said.code == 0, said.err
    (node,) = said.json["nodes"]
    assert node["packages"] == said.json["driver"]["packages"]


@pytest.mark.parametrize(
    ("address", "why"), [("127.0.0.1:1", "Connection refused"), ("ray://127.0.0.1:1", "")]
)
def test_without_a_cluster_it_says_what_to_do(
    address: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "_REFUSED_S", 0.0)
    said = command(tmp_path, "ray", "doctor", "--address", address)
    assert (said.code, said.out) == (2, "")
    assert f"`--address` must lead to a running Ray cluster. '{address}' does not" in said.err
    assert why in said.err
    assert list(tmp_path.iterdir()) == []
