"""Lesions as a problem of three tasks: weightings are compared on it as on any other."""

from __future__ import annotations

from pathlib import Path

from storage import Reader
from tests.integration.command import command

STUDY = """
name = "lesions"
problem = "fundus-lesions"
seeds = [0]

[problem_options]
side = 48
width = 2
train_tiles = 24
validation_tiles = 12
test_tiles = 12

[training]
epochs = 1
batch_size = 12
optimizer = "adam"

[[search]]
weighting = "ew"
stages = [{ lr = [0.01] }]

[[search]]
weighting = "uw-so"
hyper = { temperature = 2.0 }
stages = [{ lr = [0.01] }]
"""


def test_a_study_of_its_three_tasks_runs_to_a_report_that_says_it_is_semi_synthetic(
    tmp_path: Path,
) -> None:
    (tmp_path / "lesions.toml").write_text(STUDY)
    assert command(tmp_path, "run", "lesions.toml").code == 0
    reader = Reader(f"sqlite:///{tmp_path}/weighbridge.db")
    tasks = [task["name"] for task in reader.study("lesions").card["tasks"]]
    reader.close()
    assert tasks == ["present", "severity", "count"]
    said = command(tmp_path, "report", "lesions")
    assert said.code == 0, said.err
    (page,) = tmp_path.glob("*.html")
    assert "semi-synthetic" in page.read_text()
