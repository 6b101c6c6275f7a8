"""What can go wrong while training.

TrainingError
├── BadMetric(TypeError)             the value of a problem's metric is no number
├── BatchChanged(RuntimeError)       a network or a loss wrote into a batch that runs share
├── CheckpointUnreadable(OSError)    a checkpoint is missing, torn or another run's
├── DeviceUnusable(RuntimeError)     there is no such device here
└── TaskMismatch(ValueError)         a problem's parts do not fit its card
"""

from __future__ import annotations


class TrainingError(Exception):
    """Base of everything `trainers` raises while training."""


class BadMetric(TrainingError, TypeError):
    """The value of a problem's metric is no number."""


class BatchChanged(TrainingError, RuntimeError):
    """A network or a loss wrote into a batch that runs share."""


class CheckpointUnreadable(TrainingError, OSError):
    """A checkpoint is missing, torn or another run's."""


class DeviceUnusable(TrainingError, RuntimeError):
    """There is no such device here."""


class TaskMismatch(TrainingError, ValueError):
    """A problem's parts do not fit its card."""
