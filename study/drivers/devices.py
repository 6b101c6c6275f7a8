"""Devices that cannot be what was meant: refused before anything is started."""

from __future__ import annotations

import re

from study.drivers.options import RayOptions
from study.errors import BadSpec
from trainers.hardware.devices import is_gpu
from trainers.jobs import Precision

_NAME = re.compile(r"[a-z]{1,20}(:[0-9]{1,4})?")


def checked_device(name: str) -> str:
    """The name, if it can be one of torch's devices; whether it is there, its worker finds out.

    Raises:
        BadSpec: It cannot.
    """
    if not _NAME.fullmatch(name):
        shown = repr(name if len(name) <= 40 else f"{name[:40]}...")
        raise BadSpec(f"A device is named cpu, cuda or cuda:1. Got {shown}. Name one of these.")
    return name


def check_on_ray(options: RayOptions, device: str, *, processes: int, own_function: bool) -> None:
    """Check what workers on Ray are to train on.

    Args:
        processes: That train a run together.
        own_function: Runs are a training function's, which may use what it likes.

    Raises:
        BadSpec: Workers would share a GPU unawares, or hold one in vain.
    """
    gpus = options.gpus_per_worker
    if is_gpu(device) and not gpus:
        raise BadSpec(
            f"On Ray a worker has the GPUs that it is given. Got --device {device} without "
            "--gpus-per-worker: all workers of a machine would take its first GPU. "
            "Add --gpus-per-worker 1, or a share such as 0.25."
        )
    if is_gpu(device) and device not in ("cuda", "cuda:0"):
        raise BadSpec(
            f"On Ray a worker sees no GPU but its own. Got --device {device}. "
            "Drop --device; which GPU a worker gets is Ray's choice."
        )
    if own_function:
        return
    if gpus and not is_gpu(device):
        raise BadSpec(
            f"A GPU is for a worker that trains on it. Got --gpus-per-worker {gpus:g} with "
            f"--device {device}. Drop one of both."
        )
    if gpus > 1:
        raise BadSpec(
            f"A worker's process trains on one GPU. Got --gpus-per-worker {gpus:g}, of which the "
            "others would be held in vain. Give 1; several GPUs train one run by `data_parallel` "
            "in [training]."
        )
    if processes > 1 and 0 < gpus < 1:
        raise BadSpec(
            f"Processes that train a run together need a GPU each. Got --gpus-per-worker {gpus:g} "
            f"with `data_parallel` = {processes}: two of them might share one, which NCCL refuses. "
            "Give --gpus-per-worker 1."
        )


def check_precision(precision: Precision, device: str) -> None:
    """Check that a device can round as the spec says.

    Raises:
        BadSpec: It cannot.
    """
    if precision == "tf32" and not is_gpu(device):
        raise BadSpec(
            '`precision = "tf32"` is a way of GPUs to round single-precision products. '
            f'Got the device {device}. Take a GPU, or `precision = "float32"`.'
        )


def check_here(device: str, *, workers: int, processes: int, n_gpus: int | None) -> None:
    """Check what workers on this machine are to train on.

    Args:
        processes: That train a run together.
        n_gpus: Of this machine; None if it cannot tell.

    Raises:
        BadSpec: There is no such GPU, or there are too few for the processes.
    """
    if not is_gpu(device) or n_gpus is None:
        return
    first = int(device.partition(":")[2] or 0)
    if first >= n_gpus:
        there = f"GPUs up to cuda:{n_gpus - 1}" if n_gpus else "no GPU"
        raise BadSpec(
            f"A device must be there to be used. Got {device!r}, and CUDA shows {there} on this "
            "machine. `weighbridge doctor` lists the devices."
        )
    if processes > 1 and (wanted := first + workers * processes) > n_gpus:
        raise BadSpec(
            f"Processes that train a run together need a GPU each. Got {workers} workers of "
            f"{processes} from {device} on, {wanted} GPUs, where there are {n_gpus}. "
            "Lower --workers, or `data_parallel` in a new study."
        )
