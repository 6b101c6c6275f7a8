"""A hash of all bytes of a data set on disk, taken once and remembered while no file changes."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

_THREADS = 4
_CHUNK = 1 << 20


def fingerprint(root: Path, files: Iterable[str], *, cache: Path | None) -> str:
    """``sha256:`` and 32 digits that change with any name or byte.

    Args:
        root: Folder of the set.
        files: Paths below it.
        cache: Folder where hashes are remembered by names, sizes and times of change; or None.

    Raises:
        OSError: A file cannot be read.
    """
    paths = sorted(files)
    listing = sha256(str(root).encode())
    for path in paths:
        entry = os.stat(root / path)
        listing.update(f"\n{path}\0{entry.st_size}\0{entry.st_mtime_ns}".encode())
    remembered = None if cache is None else cache / "fingerprints" / listing.hexdigest()[:32]
    if remembered is not None and (known := _read(remembered)):
        return known
    with ThreadPoolExecutor(_THREADS) as pool:  # hashing lets others run
        digests = pool.map(lambda path: _digest(root / path), paths, chunksize=16)
        whole = sha256()
        for path, digest in zip(paths, digests, strict=True):
            whole.update(f"{path}\0".encode() + digest)
    found = f"sha256:{whole.hexdigest()[:32]}"
    if remembered is not None:
        _write(remembered, found)
    return found


def _digest(path: Path) -> bytes:
    digest = sha256()
    with open(path, "rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.digest()


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _write(path: Path, text: str) -> None:
    """Write aside and rename; a cache that cannot be written is none."""
    aside = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(text)
        os.replace(aside, path)
    except OSError:
        return
