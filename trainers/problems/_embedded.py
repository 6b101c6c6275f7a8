"""Reads a data file that ships inside an installed package, checks it, caches it parsed.

A cache that cannot be read or written is no error: the file is parsed again.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainers.problems.errors import DataChanged, DataMissing, MissingPackage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[Any]]

CACHE_VERSION = 1  # to be raised when the parsed arrays of a file change


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedFile:
    """A file inside a package.

    Attributes:
        problem: Who needs it; named in errors and in the cache.
        distribution: What one installs, e.g. ``scikit-learn``.
        package: What one imports, e.g. ``sklearn``.
        path: Path of the file inside the package's folder.
        sha256: Of the known file.
        install: Command that installs the package; `reinstall` the one that does so anew.
    """

    problem: str
    distribution: str
    package: str
    path: str
    sha256: str
    install: str = "pip install 'weighbridge[datasets]'"
    reinstall: str = "pip install --force-reinstall 'weighbridge[datasets]'"


def package_folder(package: str) -> Path | None:
    """Folder of an installed package, or None.

    The package is not imported, as `importlib.resources.files` would: importing scikit-learn
    costs a worker two seconds and 180 MB for a file of 60 kB.
    """
    spec = find_spec(package)
    folders = spec.submodule_search_locations if spec is not None else None
    return Path(next(iter(folders))) if folders else None


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """``$WEIGHBRIDGE_CACHE``, else ``~/.cache/weighbridge``; None for a user without a home."""
    if chosen := environment.get("WEIGHBRIDGE_CACHE"):
        return Path(chosen)
    try:
        return Path.home() / ".cache" / "weighbridge"
    except RuntimeError:
        return None


def load(
    file: EmbeddedFile,
    parse: Callable[[bytes], Arrays],
    *,
    locate: Callable[[str], Path | None] = package_folder,
    cache: Path | None,
) -> Arrays:
    """Arrays of an embedded file, from the cache if it is there; see `load_all`."""
    return load_all([file], lambda contents: parse(*contents), locate=locate, cache=cache)


def load_all(
    files: Sequence[EmbeddedFile],
    parse: Callable[[Sequence[bytes]], Arrays],
    *,
    locate: Callable[[str], Path | None] = package_folder,
    cache: Path | None,
) -> Arrays:
    """Arrays of the embedded files of a problem, from the cache if they are there.

    Args:
        parse: Makes the arrays of the files' bytes, in their order.
        locate: Finds the folder of a package.
        cache: Folder of parsed files, or None to do without.

    Raises:
        MissingPackage: A package is not installed.
        DataMissing: A package has no such file.
        DataChanged: A file is not the known one.
    """
    contents = [_checked_content(file, locate) for file in files]
    cached = None
    if cache is not None:
        cached = cache / f"{files[0].problem}-{version_of(files)[:16]}-{CACHE_VERSION}.npz"
        if (arrays := _read(cached)) is not None:
            return arrays
    arrays = parse(contents)
    if cached is not None:
        _write(cached, arrays)
    return arrays


def version_of(files: Sequence[EmbeddedFile]) -> str:
    """The SHA-256 of one file, or that of the SHA-256s of several."""
    hashes = [file.sha256 for file in files]
    return hashes[0] if len(hashes) == 1 else sha256(" ".join(hashes).encode()).hexdigest()


def _checked_content(file: EmbeddedFile, locate: Callable[[str], Path | None]) -> bytes:
    folder = locate(file.package)
    if folder is None:
        raise MissingPackage(
            f"Problem `{file.problem}` needs the package {file.distribution}. "
            f"Install it with: {file.install}"
        )
    path = folder / file.path
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataMissing(
            f"Problem `{file.problem}` reads {path}, which this version of {file.distribution} "
            f"does not have. Install a tested one with: {file.install}"
        ) from None
    found = sha256(content).hexdigest()
    if found != file.sha256:
        raise DataChanged(
            f"Problem `{file.problem}` is defined on one exact file. Expected SHA-256 "
            f"{file.sha256}, found {found} in {path}. Reinstall {file.distribution} in a tested "
            f"version: {file.reinstall}"
        )
    return content


def _read(path: Path) -> Arrays | None:
    import numpy as np

    try:
        # Opened here, since `np.load` leaves the file of a torn archive open.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files} or None
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile):
        return None


def _write(path: Path, arrays: Arrays) -> None:
    """Write aside and rename, so that no other process reads half a file."""
    import numpy as np

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".part")
    except OSError:
        return
    try:
        with os.fdopen(handle, "wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)
        os.replace(aside, path)
    except OSError:
        Path(aside).unlink(missing_ok=True)
