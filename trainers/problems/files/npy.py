"""Reads `.npy` files of one sample each, of which a set has thousands with the same header.

`np.load` parses the header of each as Python source, and makes an array that is copied again.
"""

from __future__ import annotations

import ast
import io
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_MAGIC = b"\x93NUMPY"
_FIRST = 128  # bytes: all of the header of a small array, by the format's alignment


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of its array.

    Attributes:
        dtype: As NumPy writes it, such as ``<f4``.
        at: Where the data begins, in bytes.
    """

    dtype: str
    shape: tuple[int, ...]
    fortran: bool
    at: int

    @property
    def n_bytes(self) -> int:
        """Size of the data."""
        return int(np.dtype(self.dtype).itemsize * np.prod(self.shape, dtype=np.int64))


def header_of(path: Path) -> Header:
    """The header of a file.

    Raises:
        ValueError: It is no `.npy` file of numbers, or is torn.
    """
    with open(path, "rb", buffering=0) as file:
        first = file.read(_FIRST)
        return _parsed(first, file)


def read_array(path: Path) -> NDArray[np.generic]:
    """The array of a file, of the shape ``[...]`` that its header says.

    Raises:
        ValueError: It is no `.npy` file of numbers, or is torn.
    """
    with open(path, "rb", buffering=0) as file:
        header = _parsed(file.read(_FIRST), file)
        flat = np.empty(header.n_bytes, np.uint8)
        file.seek(header.at)
        if _filled(file, flat.data) < len(flat):
            raise ValueError("the file ends before its array does")
    array = flat.view(header.dtype)
    order = header.shape[::-1] if header.fortran else header.shape
    return array.reshape(order).T if header.fortran else array.reshape(order)


def _parsed(first: bytes, file: io.FileIO) -> Header:
    if not first.startswith(_MAGIC) or len(first) < 10:
        raise ValueError("the file does not begin as an .npy file")
    n_length = 2 if first[6] == 1 else 4
    length = int.from_bytes(first[8 : 8 + n_length], "little")
    at = 8 + n_length + length
    if at > len(first):
        if at > os.fstat(file.fileno()).st_size:
            raise ValueError("the file ends within its header")
        file.seek(0)
        first = file.read(at)
    return _header(first[8 + n_length : at], at)


@lru_cache(maxsize=64)
def _header(text: bytes, at: int) -> Header:
    try:
        said = ast.literal_eval(text.decode("latin1"))
        dtype = np.dtype(said["descr"])
        shape, fortran = tuple(map(int, said["shape"])), bool(said["fortran_order"])
    except (ValueError, SyntaxError, TypeError, KeyError) as error:
        raise ValueError(f"the file's header cannot be read ({error})") from error
    if dtype.kind not in "biuf":
        raise ValueError(f"the array is of {dtype}, not of numbers")
    return Header(dtype.str, shape, fortran, at)


def _filled(file: io.FileIO, into: memoryview) -> int:
    """Bytes that could be read."""
    done = 0
    while done < len(into) and (n := file.readinto(into[done:])):
        done += n
    return done
