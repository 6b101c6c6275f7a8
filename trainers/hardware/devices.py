"""The devices of this machine, and their names."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_COUNT = """
import ctypes
try:
    cuda, n = ctypes.CDLL("libcuda.so.1"), ctypes.c_int()
except OSError:
    print(0)
else:
    found = cuda.cuInit(0) == 0 and cuda.cuDeviceGetCount(ctypes.byref(n)) == 0
    print(n.value if found else 0)
"""
_COUNT_S = 30.0
_ROCM = Path("/dev/kfd")
"""AMD's driver, whose GPUs torch calls ``cuda`` as well."""


def devices() -> list[tuple[str, str]]:
    """(name for ``--device``, description) of each device; imports torch."""
    import torch

    found = [("cpu", f"{os.cpu_count()} cores")]
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        memory_gib = properties.total_memory / 2**30
        found.append((f"cuda:{index}", f"{properties.name}, {memory_gib:.0f} GiB"))
    return found


def n_gpus() -> int:
    """GPUs that CUDA shows to this process; 0 where nobody can tell."""
    return known_gpus() or 0


def known_gpus() -> int | None:
    """GPUs that CUDA shows to this process, by their driver; None if that cannot tell.

    A process of its own asks, without torch: where CUDA has been started, nothing can be forked.
    """
    if _ROCM.exists():
        return None
    try:
        answer = subprocess.run(
            [sys.executable, "-I", "-c", _COUNT],
            capture_output=True,
            text=True,
            timeout=_COUNT_S,
            check=True,
        )
        return int(answer.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):  # it does not answer
        return None


def is_gpu(device: str) -> bool:
    """Whether a device's name, such as ``cuda`` or ``cuda:1``, is that of a GPU."""
    return device.partition(":")[0] == "cuda"


def indexed(device: str) -> str:
    """The same device with a number: ``cuda:0`` for ``cuda``. Some calls of torch need one."""
    return f"{device}:0" if device == "cuda" else device
