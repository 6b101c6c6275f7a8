"""Drivers carry packs to workers."""

from study.drivers.protocol import Driver, DriverEvent, FromWorker, WorkerLost

__all__ = ["Driver", "DriverEvent", "FromWorker", "WorkerLost"]
