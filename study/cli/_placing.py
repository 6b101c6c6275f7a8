"""Options that say where workers are to run, and on what: those of `plan` and `run`."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated

import typer

from study.drivers import RayOptions
from study.errors import BadSpec
from trainers.hardware.devices import is_gpu, n_gpus


class DriverName(StrEnum):
    """What carries packs to workers."""

    LOCAL = "local"
    RAY = "ray"


Driver = Annotated[
    DriverName, typer.Option(help="Where workers run: processes here, or a Ray cluster.")
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=1000,
        help="Workers; default: one a core, at most 8, with `--device cuda` one a GPU; fewer "
        "if each is of several processes by `data_parallel`.",
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        help="Device of the workers: cpu, cuda (all GPUs in turn), cuda:1; default: cpu, or "
        "Ray's GPU."
    ),
]
GpusPerWorker = Annotated[
    float | None, typer.Option(help="GPUs that Ray gives to a worker, such as 0.5.")
]
Checkpoints = Annotated[
    str | None,
    typer.Option(
        metavar="FOLDER",
        help="Folder or URL (s3://bucket/folder, ...) for checkpoints, for all machines the "
        "same; default: beside the database file.",
    ),
]


def device_of(device: str | None, ray: RayOptions | None) -> str:
    """The device of all workers; without one that is named, what Ray gives to them."""
    return device if device is not None else ("cuda" if ray and ray.gpus_per_worker else "cpu")


def n_workers(device: str, ray: RayOptions | None, n_processes: int) -> int:
    """Workers, each of some processes: one a core, and on this machine's GPUs one a GPU."""
    n_devices = min(os.cpu_count() or 1, 8)
    if ray is None and is_gpu(device):
        n_devices = n_gpus() if device == "cuda" else n_processes
    return max(1, n_devices // n_processes)


def ray_options(
    driver: DriverName,
    address: str | None,
    cpus_per_worker: float | None,
    gpus_per_worker: float | None,
) -> RayOptions | None:
    """What was said about Ray; None for workers of this machine.

    Raises:
        BadSpec: Something was, and Ray was not named; or it makes no sense.
    """
    if driver is DriverName.RAY:
        return RayOptions(
            address=address,
            cpus_per_worker=1.0 if cpus_per_worker is None else cpus_per_worker,
            gpus_per_worker=gpus_per_worker or 0.0,
        )
    given = {
        "--address": address,
        "--cpus-per-worker": cpus_per_worker,
        "--gpus-per-worker": gpus_per_worker,
    }
    for name, value in given.items():
        if value is not None:
            raise BadSpec(f"{name} is for a Ray cluster. Got it without --driver ray. Add that.")
    return None
