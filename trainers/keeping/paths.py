"""Places of files: paths of this machine's file systems, or URLs that fsspec opens.

A ``file://`` URL is a path. All other URLs (``s3://``, ``gs://``, ``memory://``, ...) go through
fsspec, which looks for the package of each store when it is first used.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

_FILE = "file://"


def settled(folder: str) -> str:
    """A folder as an absolute path, or as a URL without a slash at its end.

    Raises:
        OSError: fsspec cannot open the URL: its kind is unknown, or a package is missing.
    """
    if folder.startswith(_FILE):
        folder = folder.removeprefix(_FILE)
    if not is_url(folder):
        return str(Path(folder).resolve())
    _opened(folder)
    return folder.rstrip("/")


def is_url(place: str) -> bool:
    """Whether fsspec opens it."""
    return "://" in place


def inside(folder: str, name: str) -> str:
    """The place of that name in a folder."""
    return f"{folder}/{name}" if is_url(folder) else str(Path(folder) / name)


def folder_of(place: str) -> str:
    """The folder that a place is in."""
    return place.rpartition("/")[0] if is_url(place) else str(Path(place).parent)


def write(url: str, content: bytes) -> None:
    """Write all of a file at a URL.

    Object stores show a file once all of it is there. Others may be left with a part of it.

    Raises:
        OSError: It cannot be written.
    """
    with _plain_errors():
        system, path = _opened(url)
        try:
            system.pipe_file(path, content)
        except FileNotFoundError:  # object stores need no folder; asking each time would cost
            system.makedirs(folder_of(path), exist_ok=True)
            system.pipe_file(path, content)


def read(url: str) -> bytes:
    """All of a file at a URL.

    Raises:
        OSError: It cannot be read.
    """
    with _plain_errors():
        system, path = _opened(url)
        return bytes(system.cat_file(path))


def content(place: str) -> bytes:
    """All of a file.

    Raises:
        OSError: It cannot be read.
    """
    return read(place) if is_url(place) else Path(place).read_bytes()


def put(place: str, content: bytes) -> None:
    """Write a file anew, whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    if is_url(place):
        write(place, content)
        return
    path = Path(place)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        aside.write_bytes(content)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def remove_folder(folder: str) -> None:
    """Remove a folder with all that is in it; what cannot be removed, or is not there, is left."""
    if not is_url(folder):
        shutil.rmtree(folder, ignore_errors=True)
        return
    with contextlib.suppress(OSError), _plain_errors():
        system, path = _opened(folder)
        system.rm(path, recursive=True)


def starting(folder: str, prefixes: Collection[str]) -> set[str]:
    """Files in a folder whose names start with one of `prefixes`; none if it cannot be read."""
    names: list[str] = []
    if prefixes:
        with contextlib.suppress(OSError):
            names = _names(folder)
    return {inside(folder, name) for name in names if name.startswith(tuple(prefixes))}


def _names(folder: str) -> list[str]:
    if not is_url(folder):
        return os.listdir(folder)
    with _plain_errors():
        system, path = _opened(folder)
        system.invalidate_cache(path)  # workers write there too
        return [entry.rpartition("/")[2] for entry in system.ls(path, detail=False)]


def remove(places: Collection[str]) -> None:
    """Remove files; such as are not there, are folders, or cannot be reached, are left."""
    for path in (Path(place) for place in places if not is_url(place)):
        with contextlib.suppress(OSError):
            path.unlink()
    urls = [place for place in places if is_url(place)]
    if urls:
        with contextlib.suppress(OSError), _plain_errors():
            _remove(urls)


def _remove(urls: list[str]) -> None:
    system, _ = _opened(urls[0])
    paths = [_opened(url)[1] for url in urls]
    try:
        system.rm(paths)  # a single request to most object stores
    except FileNotFoundError:
        for path in paths:
            with contextlib.suppress(FileNotFoundError):
                system.rm_file(path)


def _opened(url: str) -> tuple[Any, str]:
    """The file system of a URL, kept by fsspec, and the path on it."""
    import fsspec  # most studies do without

    with _plain_errors():
        system, path = fsspec.core.url_to_fs(url)
        return system, str(path)


@contextlib.contextmanager
def _plain_errors() -> Iterator[None]:
    """Stores raise what their own libraries do; here it is an `OSError`."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error
