"""Reads pickles that hold plain values and NumPy arrays, and nothing that could run code.

CIFAR's batches are pickles of Python 2. Files of `torch.save` have one inside a zip archive, or,
before torch 1.6, several in a row: a magic number, a version, the system, then what was saved.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from typing import Any, Final

_ALLOWED: Final = {
    ("_codecs", "encode"),
    ("collections", "OrderedDict"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    *(
        (f"numpy.{core}.{module}", name)
        for core in ("core", "_core")
        for module, name in (("multiarray", "_reconstruct"), ("numeric", "_frombuffer"))
    ),
}
"""What arrays are made by, of all versions of NumPy."""
_MAGIC: Final = 0x1950A86A20F9469CFC6C
"""What files of `torch.save` began with before they were archives."""


class NotPlain(Exception):
    """It is no pickle, is torn, or holds more than plain values and arrays."""


def read_pickle(content: bytes) -> Any:
    """What is in a pickle; text of Python 2 is read as Latin-1.

    Raises:
        NotPlain: It cannot be read, or names something else.
    """
    return _next(io.BytesIO(content))


def read_saved(content: bytes) -> Any:
    """What `torch.save` has written of plain values and arrays.

    Raises:
        NotPlain: It is no such archive, or holds tensors or something else.
    """
    stream = io.BytesIO(content)
    if not zipfile.is_zipfile(stream):
        stream.seek(0)
        if _next(stream) != _MAGIC:
            raise NotPlain("no file of `torch.save`")
        _version, _system = _next(stream), _next(stream)
        return _next(stream)
    try:
        with zipfile.ZipFile(stream) as archive:
            inside = [name for name in archive.namelist() if name.endswith("data.pkl")]
            pickled = archive.read(inside[0]) if len(inside) == 1 else None
    except (zipfile.BadZipFile, OSError, ValueError, EOFError) as error:
        raise NotPlain(f"no whole archive ({error})") from error
    if pickled is None:
        raise NotPlain("an archive without a `data.pkl`")
    return read_pickle(pickled)


def _next(stream: io.BytesIO) -> Any:
    """The pickle that begins where a stream stands."""
    try:
        return _Plain(stream, encoding="latin1").load()
    except NotPlain:
        raise
    except Exception as error:  # a torn pickle raises whatever its bytes happen to mean
        raise NotPlain(f"no whole pickle ({error})") from error


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Only what arrays are made by.

        Raises:
            NotPlain: It is something else.
        """
        if (module, name) not in _ALLOWED:
            raise NotPlain(f"something that is no array: {module}.{name}")
        return super().find_class(module, name)

    def persistent_load(self, pid: Any) -> Any:  # noqa: ARG002 - part of the base class
        """A tensor of `torch.save` lies outside the pickle.

        Raises:
            NotPlain: Always.
        """
        raise NotPlain("a tensor, where an array should be")
