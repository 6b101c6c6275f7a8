"""Drivers carry packs to workers.

They know jobs and events; of plans and databases nothing.
"""

from study.drivers.options import RayOptions
from study.drivers.protocol import Driver, DriverEvent, FromWorker, Loss, WorkerLost

__all__ = [
    "Driver",
    "DriverEvent",
    "FromWorker",
    "Loss",
    "RayOptions",
    "WorkerLost",
]
