"""Which driver carries the packs of a study: processes of this machine, or a Ray cluster."""

from __future__ import annotations

from study.drivers import Driver, RayOptions
from study.drivers.local.driver import LocalDriver
from study.drivers.peers import first_devices
from study.planning.plan import Plan
from trainers.hardware.devices import n_gpus


def open_driver(plan: Plan, workers: int, device: str, ray: RayOptions | None) -> Driver:
    """The driver of a study, which has started nothing yet.

    Args:
        workers: How many, of as many processes each as the plan shares a batch among.
        device: Of all workers; ``cuda`` is all GPUs in turn.
        ray: The cluster that they are placed on; None for processes of this machine.
    """
    problem, training = plan.problem, plan.training
    open_limit_s = plan.spec.training.open_limit_s
    if ray is None:
        devices = first_devices(
            device,
            workers=workers,
            ranks=training.data_parallel,
            n_gpus=max(1, n_gpus()) if device == "cuda" else 1,
        )
        return LocalDriver(problem, training, devices=devices, open_limit_s=open_limit_s)
    # loads Ray, which takes a second
    from study.drivers.ray_tune.cluster import Cluster
    from study.drivers.ray_tune.driver import RayDriver

    cluster = Cluster(ray, workers=workers * training.data_parallel)
    return RayDriver(
        problem,
        training,
        device=device,
        workers=workers,
        cluster=cluster,
        open_limit_s=open_limit_s,
    )
