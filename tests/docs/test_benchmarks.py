"""The pages on benchmarks name problems and studies that are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks, read
from tests.integration.command import command
from trainers.problems import names

FOLDER = "docs/benchmarks"
PAGES = sorted(path.name for path in (ROOT / FOLDER).glob("*.md") if path.name != "README.md")


def test_the_list_has_every_problem() -> None:
    problems, _, _ = read(f"{FOLDER}/README.md").partition("## Studies that are ready")
    rows = [row for row in problems.splitlines() if row.startswith(("| [`", "| `"))]
    assert sorted(row.split("`")[1] for row in rows) == [*names()]


@pytest.mark.parametrize("page", PAGES)
def test_studies_on_a_page_can_be_planned(tmp_path: Path, page: str) -> None:
    files = [block for block in blocks(f"{FOLDER}/{page}") if block.file]
    assert files
    for block in files:
        (tmp_path / block.file).write_text(block.text)
        said = command(tmp_path, "plan", block.file)
        wants_a_file = "does not exist. Correct it; docs/benchmarks says where" in said.err
        assert "At most" in said.text or (page == "table.md" and wants_a_file), said.err
