"""A study with a weighting and an optimiser of one's own, from the folder of its spec."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests import partly, toy
from tests.integration import comparable
from tests.integration.command import command

SPEC = """
name = "{name}"
problem = "{problem}"
seeds = [0]
objective = "flag.error"
[training]
epochs = 2
batch_size = 4
optimizer = "{optimizer}"
[[search]]
weighting = ["ew", "methods:Mean"]
stages = [{{ lr = [0.01, 0.1] }}]
"""
METHODS = """
from trainers.weightings import Weighting

class Mean(Weighting):
    name, title, paper = "mean", "Mean [mine]", "none"

    def objective(self, losses, **_):
        return losses.mean(-1)

class Unsummed(Mean):
    name, title = "unsummed", "Unsummed"

    def objective(self, losses, **_):
        return losses
"""
OPTIMIZERS = """
from trainers.optimizers.sgd import SGD

class Mine(SGD):
    pass
"""


def spec(name: str, optimizer: str = "sgd", problem: str = "toy:Toy") -> str:
    return SPEC.format(name=name, optimizer=optimizer, problem=problem)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study that ran through, and the same with our own optimiser."""
    folder = tmp_path_factory.mktemp("own")
    shutil.copy(toy.__file__, folder / "toy.py")
    (folder / "partly.py").write_text(
        Path(partly.__file__).read_text().replace("from tests.toy", "from toy")
    )
    (folder / "methods.py").write_text(METHODS)
    (folder / "optimizers.py").write_text(OPTIMIZERS)
    (folder / "own.toml").write_text(spec("own", "optimizers:Mine"))
    (folder / "sgd.toml").write_text(spec("sgd"))
    for name in ("own", "sgd"):
        said = command(folder, "run", f"{name}.toml", "--workers", "1")
        assert said.code == 0, said.err
    return folder


def test_an_optimiser_of_ones_own_trains_as_it_is_written(folder: Path) -> None:
    url = f"sqlite:///{folder / 'weighbridge.db'}"
    assert comparable.epochs(url, "own") == comparable.epochs(url, "sgd") != []


def test_its_source_is_part_of_the_code_that_has_trained(folder: Path) -> None:
    source = folder / "optimizers.py"
    source.write_text(f"{OPTIMIZERS}\n# changed\n")
    assert "optimizers" in command(folder, "plan", "own.toml", "--json").json["code_note"]
    assert command(folder, "plan", "sgd.toml", "--json").json["code_note"] == ""
    source.write_text(OPTIMIZERS)


@pytest.mark.parametrize(
    ("optimizer", "finding"),
    [
        ("optimizers:Mime", "has no `Mime`. Did you mean `Mine`?"),
        ("no_such_module:Mine", "Module `no_such_module` was not found"),
        ("toy:Toy", "no concrete subclass of Optimizer"),
        ("sdg", "'sgd', 'signsgd', or `module:Class` of one's own"),
    ],
)
def test_what_is_no_optimiser_is_refused_by_the_plan(
    folder: Path, optimizer: str, finding: str
) -> None:
    (folder / "bad.toml").write_text(spec("bad", optimizer))
    said = command(folder, "plan", "bad.toml")
    assert said.code == 2
    assert "[training] `optimizer`" in said.err
    assert finding in " ".join(said.err.split())


def test_reports_call_a_weighting_by_its_title(folder: Path) -> None:
    assert "Mean [mine]" in command(folder, "compare", "own").out
    assert command(folder, "report", "own", "-o", "own.html").code == 0
    assert "Mean [mine]" in (folder / "own.html").read_text()


def test_a_weighting_of_wrong_shapes_fails_in_the_probe_and_at_once(folder: Path) -> None:
    text = spec("unsummed").replace("methods:Mean", "methods:Unsummed")
    (folder / "unsummed.toml").write_text(text)
    told = "`objective` of the weighting Unsummed must return a tensor of shape "
    probed = command(folder, "plan", "unsummed.toml", "--probe")
    assert probed.code == 1
    assert told in probed.text
    ran = command(folder, "run", "unsummed.toml", "--workers", "1")
    assert ran.code == 1
    ended = command(folder, "status", "unsummed", "--json").json
    assert ended["states"]["done"] == 2, "those of ew"
    assert len(ended["bad_endings"]) == 2
    for run in ended["bad_endings"]:
        assert (run["search"], run["epoch"]) == ("methods:Unsummed", 0)
        assert told in run["reason"]


def test_a_split_without_a_label_of_a_task_is_refused_before_anything_is_trained(
    folder: Path,
) -> None:
    options = 'problem_options = { bare = "test" }\n'
    text = spec("bare", problem="partly:Partly").replace("seeds", f"{options}seeds", 1)
    (folder / "bare.toml").write_text(text)
    told = "test split, so it needs valid elements of each task. Of task kind it has none"
    probed = command(folder, "plan", "bare.toml", "--probe")
    ran = command(folder, "run", "bare.toml", "--workers", "1")
    assert (probed.code, ran.code) == (1, 2)
    assert told in probed.text
    assert told in " ".join(ran.err.split())
