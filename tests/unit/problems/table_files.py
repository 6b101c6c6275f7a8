"""Small tables as the user may have them, and what breaks one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.unit.problems import breaking
from tests.unit.problems.breaking import Break
from trainers.problems.table import Table

OPTIONS: dict[str, Any] = {
    "targets": {"gap": "eV", "volume": "m3"},
    "ignored": ["name"],
    "rows": 40,
    "validation_rows": 8,
    "test_rows": 6,
    "width": 4,
}
NAMES = ["name", "mass", "atoms", "gap", "volume"]


def cells() -> list[list[str]]:
    draws = np.random.default_rng(0)
    found = []
    for row in range(40):
        mass, atoms = draws.uniform(10, 200), draws.integers(1, 30)
        gap = "" if row % 7 == 3 else f"{mass / 20:.6g}"
        found.append([f"m{row}", f"{mass:.6g}", f"{atoms}", gap, f"{atoms * 3e-6:.6g}"])
    return found


def text(rows: list[list[str]], delimiter: str = ",", names: list[str] = NAMES) -> str:
    return "".join(delimiter.join(row) + "\n" for row in [names, *rows])


def write_table(root: Path) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    (root / "table.csv").write_text(text(cells()))
    return root


def table(root: Path, **options: Any) -> Table:
    return Table(**{**OPTIONS, **options, "root": str(root)})


def found(root: Path, **options: Any) -> str:
    problem = table(root, **options)
    return "\n".join(map(str, problem.samples(root).findings(values=True)))


def edited(change: Callable[[str], str]) -> Break:
    return breaking.edited("table.csv", change)


def cell(row: int, column: int, value: str) -> Break:
    """Another value in a cell; row and column from 0."""

    def broken(root: Path) -> None:
        rows = cells()
        rows[row][column] = value
        (root / "table.csv").write_text(text(rows))

    return broken


def column(at: int, value: str, first: str | None = None) -> Break:
    def broken(root: Path) -> None:
        rows = cells()
        for row in rows:
            row[at] = value
        rows[0][at] = first or value
        (root / "table.csv").write_text(text(rows))

    return broken
