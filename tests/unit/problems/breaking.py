"""What breaks files of a data set, whatever is in them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

Break = Callable[[Path], object]
"""Changes files under a folder."""


def rewritten(file: str, change: Callable[[bytes], bytes]) -> Break:
    """Store other bytes in a file."""

    def broken(root: Path) -> None:
        path = root / file
        path.write_bytes(change(path.read_bytes()))

    return broken


def edited(file: str, change: Callable[[str], str]) -> Break:
    """Store another text in a file."""

    def broken(root: Path) -> None:
        path = root / file
        path.write_text(change(path.read_text()))

    return broken


def removed(file: str) -> Break:
    return lambda root: (root / file).unlink()


def made_a_file(folder: str) -> Break:
    """Put a file where a folder is looked for."""

    def broken(root: Path) -> None:
        shutil.rmtree(root / folder)
        (root / folder).write_text("")

    return broken


def made_a_folder(file: str) -> Break:
    """Put a folder where a file is looked for."""

    def broken(root: Path) -> None:
        (root / file).unlink()
        (root / file).mkdir()

    return broken
