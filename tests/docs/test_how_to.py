"""The how-to pages work when followed to the letter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from study.plan import make_plan
from study.spec import parse_toml
from tests.docs.pages import blocks, read
from tests.docs.shell import run_bash


def test_own_problem_runs(tmp_path: Path) -> None:
    page = "docs/how-to/own-problem.md"
    for block in blocks(page):
        if block.file:
            (tmp_path / block.file).write_text(block.text)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my_problem.py", "my_study.toml"]
    run_bash("weighbridge run my_study.toml", tmp_path)
    said = run_bash("weighbridge compare rings --json", tmp_path)
    rows = {row["search"]: row for row in json.loads(said)["rows"]}
    assert rows["ew"]["delta_m_test"] is not None


def test_weighting_of_the_guide_keeps_the_protocol() -> None:
    (block,) = (b for b in blocks("docs/how-to/add-a-weighting.md") if b.language == "python")
    made: dict[str, Any] = {}
    exec(block.text, made)
    losses = torch.tensor([3.0, 4.0], dtype=torch.float64)
    value = made["RootMeanSquare"]().objective(losses)
    torch.testing.assert_close(value, torch.tensor(12.5, dtype=torch.float64).sqrt())


def test_examples_are_never_called_like_our_packages() -> None:
    names = {b.file for page in ("README.md", "docs/how-to/own-problem.md") for b in blocks(page)}
    assert not names & {f"{package}.py" for package in ("study", "storage", "reports", "trainers")}
    assert "study.py" not in read("README.md")


def test_stages_example_is_a_valid_search() -> None:
    head = 'name = "a"\nproblem = "digits"\nseeds = [0]\n[training]\nepochs = 1\nbatch_size = 9\n'
    (block,) = (b for b in blocks("docs/reference/stages.md") if b.language == "toml")
    plan = make_plan(parse_toml(head + block.text, source="stages.md"))
    kinds = [stage.kind for stage in plan.searches[-1].stages]
    assert kinds == ["grid", "line", "neighbours"]
