"""What `problem check` tells of problems, and how the command says it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

from study.cli._main import application
from study.cli._problem import options_of
from study.errors import BadSpec
from study.running import preflight
from study.running.preflight import check_problem
from tests import toy
from tests.contract.network_zoo import ZOO
from tests.contract.test_canary import Ageing
from tests.contract.zoo_parts import Housed
from tests.integration import asked
from tests.toy import Toy
from tests.unit.trainers import failing
from trainers.engines import open_session, promises
from trainers.jobs import ProblemRef
from trainers.problems import TensorSource
from trainers.protocol import Batch
from trainers.randomness import Key

PASSES = "a batch of every split goes through every part"
NAMES = [
    "batches of one key are the same again",
    "a run does as plain PyTorch does",
    "a run leaves nothing to the next",
    "a run goes on from what it has saved",
    "runs can be trained as one stack",
]


@dataclass(frozen=True, slots=True)
class Restless:
    """A source that draws from a generator of nobody's."""

    source: TensorSource

    @property
    def size(self) -> int:
        return self.source.size

    def batches(self, order: Tensor | None, batch_size: int, key: Key) -> Iterator[Batch]:
        for batch in self.source.batches(order, batch_size, key):
            yield Batch(batch.inputs + torch.randn(()), batch.targets)


class Drawn(Toy):
    def sources(self, device: torch.device) -> Mapping[str, Any]:
        return {split: Restless(source) for split, source in super().sources(device).items()}


class Raising(Toy):
    def trunk(self) -> nn.Module:
        return nn.Linear(2, 4)


def found(problem: Toy) -> dict[str, str]:
    """What stands against each promise."""
    return {of.name: of.found for of in promises(open_session(problem, "cpu"))}


def test_a_good_problem_keeps_all() -> None:
    assert found(Toy(dropout=0.3)) == dict.fromkeys(NAMES, "")


@pytest.mark.parametrize(
    ("problem", "broken", "words"),
    [
        (Drawn(), 0, "gives other batches for the same samples and key"),
        (Ageing(), 2, "trained a second time in one process, differs"),
        (Housed(ZOO["extra state as an object"]), 3, "cannot be read back"),
        (Housed(ZOO["part switched off"]), 4, "no buffer (trunk.n)"),
        (Raising(), 1, "It raised RuntimeError: mat1 and mat2"),
    ],
    ids=["data", "left over", "unsaved", "unstacked", "raising"],
)
def test_what_is_broken_is_named(problem: Toy, broken: int, words: str) -> None:
    assert words in found(problem)[NAMES[broken]]


def test_options_are_read_as_toml_or_as_text() -> None:
    assert options_of(["n=3", "rate=0.5", "on=true", "name=lenet", "sizes=[1, 2]", "at=a=b"]) == {
        "n": 3,
        "rate": 0.5,
        "on": True,
        "name": "lenet",
        "sizes": [1, 2],
        "at": "a=b",
    }


@pytest.mark.parametrize("pair", ["n", "=3", ""])
def test_an_option_without_key_or_value_is_refused(pair: str) -> None:
    with pytest.raises(BadSpec, match="KEY=VALUE"):
        options_of([pair])


@pytest.fixture
def warm(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fork of a process that has imported torch tries."""
    monkeypatch.setattr(preflight, "subprocess", asked)


@pytest.mark.usefixtures("warm")
def test_the_command_tells_promises_and_exits_by_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("tests")
    arguments = ["problem", "check", "toy:Toy", "--option", "dropout=0.2", "--json"]
    result = CliRunner().invoke(application(), arguments)
    assert [promise["name"] for promise in json.loads(result.stdout)["promises"]] == [
        PASSES,
        *NAMES,
    ]
    assert result.exit_code == 0


@pytest.mark.usefixtures("warm")
def test_of_what_fails_each_part_is_told_and_nothing_else(tmp_path: Path) -> None:
    shutil.copy(toy.__file__, tmp_path / "toy.py")
    text = Path(failing.__file__).read_text().replace("from tests.toy", "from toy")
    (tmp_path / "failing.py").write_text(text)
    ref = ProblemRef(target="failing:Failing", options={"fails": "loss"}, folder=str(tmp_path))
    tried = check_problem(ref, device="cpu", precision="float32")
    assert [promise.name for promise in tried] == [PASSES] * 3
    assert all(promise.broken for promise in tried)
    for split, promise in zip(("train", "validation", "test"), tried, strict=True):
        assert f"on the {split} split: LookupError: nothing here (loss of task" in promise.found
