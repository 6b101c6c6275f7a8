"""Drivers carry packs to workers."""

from study.drivers._nursery import nursery_ahead
from study.drivers.protocol import Driver, DriverEvent, FromWorker, WorkerLost

__all__ = ["Driver", "DriverEvent", "FromWorker", "WorkerLost", "nursery_ahead"]
