"""Training functions of one's own, in the place of a problem.

A function is called as ``train(params, seed, folder, report)``. It calls ``report(step, metrics)``
with steps that rise from 1, and may raise or let pass `RunStopped`, by which `report` ends it.
"""

from trainers.functions._caller import Caller, call, tell_returned
from trainers.functions._open import FunctionSession, open_function
from trainers.functions._report import Report, RunStopped
from trainers.functions._training import train_function

__all__ = [
    "Caller",
    "FunctionSession",
    "Report",
    "RunStopped",
    "call",
    "open_function",
    "tell_returned",
    "train_function",
]
