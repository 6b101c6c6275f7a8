"""What a worker settles with its GPU: how it rounds, what memory it may take, whether it works.

Nothing here touches CUDA in a process that trains on a CPU.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import torch

from trainers.errors import DeviceUnusable, ProcessMustEnd
from trainers.failures import OUT_OF_MEMORY, failure_class
from trainers.hardware.devices import is_gpu
from trainers.jobs import Precision

CONTEXT_BYTES = int(0.6 * 2**30)
"""What CUDA takes for itself in each process, before the first tensor."""
_WORKSPACES = (":4096:8", ":16:8")
"""With these, cuBLAS rounds the same way in every call; it reads them once, when CUDA starts."""


class DeviceBroken(ProcessMustEnd):
    """The GPU does nothing any more for this process; another one may use it."""


def wants_few_kernels(device: torch.device) -> bool:
    """Whether a device waits longer for the next operation than it works on a small one.

    There, stacks are computed in few large operations, whose number of rows is fixed so that they
    round alike; elsewhere in those whose every row rounds as it would alone.
    """
    return device.type == "cuda"


def prepare(device: str, precision: Precision) -> dict[str, str]:
    """Let torch round the same way in every run, and as the precision says; before CUDA starts.

    Returns what was settled for a GPU, for the record of the worker.

    Raises:
        DeviceUnusable: The precision is not one of the device's.
    """
    torch.set_deterministic_debug_mode("warn")  # `use_deterministic_algorithms` loads a compiler
    # would write NaN into every new tensor, for who reads what nobody wrote
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    if not is_gpu(device):
        if precision == "tf32":
            raise DeviceUnusable(
                '`precision = "tf32"` is a way of GPUs to round single-precision products. '
                f'Got the device {device}. Take a GPU, or `precision = "float32"`.'
            )
        return {}
    if os.environ.get("CUBLAS_WORKSPACE_CONFIG") not in _WORKSPACES:
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = _WORKSPACES[0]
    torch.backends.cudnn.benchmark = False  # which would choose algorithms by timing
    torch.backends.cudnn.deterministic = True
    tf32 = precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    return {
        "cublas_workspace": os.environ["CUBLAS_WORKSPACE_CONFIG"],
        "deterministic": "warn",
        "tf32": "on" if tf32 else "off",
    }


def memory_bytes(share: float, total_bytes: int) -> int:
    """What the tensors of one of 1/`share` processes on a GPU may take, contexts left out."""
    if share >= 1:
        return total_bytes
    n_processes = 1 / share
    return max(0, int((total_bytes - n_processes * CONTEXT_BYTES) / n_processes))


def cap_memory(device: torch.device, share: float) -> None:
    """Refuse this process more of its GPU's memory than its share."""
    if device.type == "cuda" and share < 1:
        total_bytes = torch.cuda.get_device_properties(device).total_memory
        fraction = memory_bytes(share, total_bytes) / total_bytes
        torch.cuda.set_per_process_memory_fraction(fraction, device)


def is_crowded(device: torch.device) -> bool:
    """Whether other processes hold memory of the device, so that there may be more of it later."""
    if device.type != "cuda":
        return False
    try:
        free_bytes, total_bytes = torch.cuda.mem_get_info(device)
        return others_bytes(free_bytes, total_bytes, torch.cuda.memory_reserved(device)) > 0
    except Exception:  # a GPU so full that it cannot be asked
        return True


def others_bytes(free_bytes: int, total_bytes: int, reserved_bytes: int) -> int:
    """Memory that is neither free nor this process's; what one context may take does not count."""
    return max(0, total_bytes - free_bytes - reserved_bytes - 2 * CONTEXT_BYTES)


def end_if_broken(
    device: torch.device, trial: Callable[[torch.device], None] | None = None
) -> None:
    """After a failure: give up the process if its GPU does not work any more.

    After an illegal access or a failed assertion on the GPU, every later call fails too.

    Args:
        trial: Does something small on the device, and raises if that fails.

    Raises:
        DeviceBroken: It fails, and not for want of memory.
    """
    if device.type != "cuda" or not torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        return
    try:
        (trial or _try)(device)
    except Exception as error:
        if failure_class(error) != OUT_OF_MEMORY:
            reason = (str(error).splitlines() or [""])[0]
            raise DeviceBroken(
                f"{device} does not work any more in this process ({reason}), which ends; its runs "
                "are tried again by another one."
            ) from error


def _try(device: torch.device) -> None:
    torch.empty(1, device=device).fill_(0.0)
    torch.cuda.synchronize(device)
