"""Devices that cannot be what was meant are refused before anything starts."""

from __future__ import annotations

import pytest

from study.drivers import RayOptions
from study.drivers.devices import check_here, check_on_ray, check_precision
from study.errors import BadSpec


@pytest.mark.parametrize(
    ["device", "gpus", "processes", "why"],
    [
        ("cuda", 0.0, 1, "without --gpus-per-worker"),
        ("cuda:0", 0.0, 2, "without --gpus-per-worker"),
        ("cuda:1", 1.0, 1, "sees no GPU but its own"),
        ("cpu", 1.0, 1, "with --device cpu"),
        ("cuda", 2.0, 1, "held in vain"),
        ("cuda", 2.0, 2, "held in vain"),
        ("cuda", 0.5, 2, "NCCL refuses"),
    ],
)
def test_what_is_refused_on_ray(device: str, gpus: float, processes: int, why: str) -> None:
    options = RayOptions(gpus_per_worker=gpus)
    with pytest.raises(BadSpec, match=why):
        check_on_ray(options, device, processes=processes, own_function=False)


@pytest.mark.parametrize(
    ["device", "gpus", "processes"],
    [("cpu", 0.0, 1), ("cpu", 0.0, 4), ("cuda", 1.0, 4), ("cuda", 0.25, 1), ("cuda:0", 1.0, 1)],
)
def test_what_is_taken_on_ray(device: str, gpus: float, processes: int) -> None:
    options = RayOptions(gpus_per_worker=gpus)
    check_on_ray(options, device, processes=processes, own_function=False)


@pytest.mark.parametrize(["device", "gpus"], [("cuda", 2.0), ("cpu", 1.0), ("cpu", 4.0)])
def test_a_function_of_ones_own_may_use_what_it_likes(device: str, gpus: float) -> None:
    options = RayOptions(gpus_per_worker=gpus)
    check_on_ray(options, device, processes=1, own_function=True)


@pytest.mark.parametrize(
    ["device", "workers", "processes", "n_gpus", "refused"],
    [
        ("cuda", 2, 2, 3, True),
        ("cuda:2", 1, 2, 3, True),
        ("cuda", 2, 2, 4, False),
        ("cuda", 8, 1, 1, False),  # workers of one process may share it
        ("cuda", 2, 2, None, False),  # what there is cannot be told: the device says so itself
        ("cuda:7", 1, 1, None, False),
        ("cuda", 1, 1, 0, True),
        ("cuda:1", 1, 1, 1, True),
        ("cuda:1", 1, 1, 2, False),
        ("cpu", 8, 4, 1, False),
    ],
)
def test_there_is_a_gpu_here_for_each_process_of_a_group(
    device: str, workers: int, processes: int, n_gpus: int | None, refused: bool
) -> None:
    if not refused:
        check_here(device, workers=workers, processes=processes, n_gpus=n_gpus)
        return
    with pytest.raises(BadSpec, match=r"need a GPU each|must be there to be used"):
        check_here(device, workers=workers, processes=processes, n_gpus=n_gpus)


@pytest.mark.parametrize(
    ["n_gpus", "there"], [(0, "CUDA shows no GPU on this"), (2, "CUDA shows GPUs up to cuda:1 on")]
)
def test_a_gpu_that_is_not_there_is_refused_with_those_that_are(n_gpus: int, there: str) -> None:
    with pytest.raises(BadSpec, match=there):
        check_here("cuda:2", workers=1, processes=1, n_gpus=n_gpus)


def test_tf32_is_a_way_of_gpus() -> None:
    with pytest.raises(BadSpec, match=r"way of GPUs.*Take a GPU"):
        check_precision("tf32", "cpu")
    check_precision("tf32", "cuda:1")
    check_precision("bfloat16", "cpu")
