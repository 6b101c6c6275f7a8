"""What breaks files of a data set, whatever is in them."""

from __future__ import annotations

import shutil
import struct
import zlib
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


def made_a_dead_link(file: str) -> Break:
    """Link to nothing where a file is looked for."""

    def broken(root: Path) -> None:
        (root / file).unlink()
        (root / file).symlink_to(root / "gone")

    return broken


def said_to_be_huge(file: str, *, bits: int = 8, colour: int = 2) -> Break:
    """A PNG whose header promises more pixels than pillow opens."""
    header = struct.pack(">IIBBBBB", 16_000, 12_000, bits, colour, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
    return rewritten(file, lambda _: content)


def made_a_folder(file: str) -> Break:
    """Put a folder where a file is looked for."""

    def broken(root: Path) -> None:
        (root / file).unlink()
        (root / file).mkdir()

    return broken
