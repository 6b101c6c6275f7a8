"""`plan` refuses what `run` refuses of the same options, in the same words, and stores nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from study import api
from tests.integration.command import command
from tests.integration.planning import spec_text, with_modules

FUNCTION = """
name = "own"
seeds = [0]
[function]
target = "own:train"
metric = "loss"
[training]
epochs = 1
[[search]]
name = "own"
stages = [{ x = [1.0] }]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with two GPUs, as far as CUDA says."""
    monkeypatch.setattr(api, "known_gpus", lambda: 2)
    with_modules(tmp_path)
    (tmp_path / "plain.toml").write_text(spec_text())
    (tmp_path / "pairs.toml").write_text(spec_text("data_parallel = 2"))
    (tmp_path / "tf32.toml").write_text(spec_text('precision = "tf32"'))
    (tmp_path / "own.py").write_text("def train(params, seed, folder, report): return 1.0\n")
    (tmp_path / "own.toml").write_text(FUNCTION)
    return tmp_path


@pytest.mark.parametrize(
    ["line", "why"],
    [
        (["plain.toml", "--device", "cuda:2"], "CUDA shows GPUs up to cuda:1"),
        (["plain.toml", "--device", "gpu one"], "A device is named cpu, cuda or cuda:1"),
        (["pairs.toml", "--device", "cuda", "--workers", "2"], "need a GPU each"),
        (["tf32.toml"], "is a way of GPUs to round"),
        (["plain.toml", "--gpus-per-worker", "1"], "without --driver ray"),
        (["plain.toml", "--driver", "ray", "--device", "cuda"], "without --gpus-per-worker"),
        (["plain.toml", "--driver", "ray", "--gpus-per-worker", "2"], "would be held in vain"),
        (["pairs.toml", "--driver", "ray", "--gpus-per-worker", "0.5"], "two of them might share"),
        (["own.toml", "--checkpoints", "memory://place"], "is given a folder to write to"),
    ],
)
def test_plan_and_run_refuse_alike(folder: Path, line: Sequence[str], why: str) -> None:
    planned, ran = (command(folder, verb, *line) for verb in ("plan", "run"))
    assert (planned.code, ran.code) == (2, 2)
    assert planned.err == ran.err
    assert why in " ".join(planned.err.split())
    assert not list(folder.glob("*.db"))


@pytest.mark.parametrize("line", [["plan", "--budget", "8x"], ["run", "--budget", "epochs=8h"]])
def test_what_is_no_budget_is_refused_in_one_way(folder: Path, line: Sequence[str]) -> None:
    verb, *rest = line
    said = command(folder, verb, "plain.toml", *rest)
    assert said.code == 2
    rule = "A budget must be a number above 0 and a unit: s, min, h, d (device time)"
    assert rule in " ".join(said.err.split())
    assert f"Got '{rest[-1]}'." in " ".join(said.err.split())


def test_what_is_planned_is_run_with_the_same_options(folder: Path) -> None:
    said = command(
        folder, "plan", "plain.toml", "--driver", "ray", "--gpus-per-worker", "0.5", "--workers=3"
    )
    assert said.code == 0, said.err
    assert "weighbridge run plain.toml --workers 3 --driver ray --gpus-per-worker 0.5" in said.text


def test_a_probe_asks_for_the_compiler_that_workers_need(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    (folder / "compiled.toml").write_text(spec_text("compile = true"))
    said = command(folder, "plan", "compiled.toml", "--probe")
    assert said.code == 2
    assert "`compile = true` needs a C++ compiler" in " ".join(said.err.split())


def test_a_probe_refuses_networks_that_processes_cannot_share(folder: Path) -> None:
    spec = spec_text("data_parallel = 2", problem="normed:Normed")
    (folder / "normed.toml").write_text(spec)
    said = command(folder, "plan", "normed.toml", "--probe")
    assert said.code == 2
    assert "needs a batch normalisation that spans processes" in " ".join(said.err.split())
