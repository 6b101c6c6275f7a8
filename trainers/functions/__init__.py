"""Training functions of one's own, in the place of a problem; and trainers, which have a card.

A function is called as ``train(params, seed, folder, report)``. It calls ``report(step, metrics)``
with steps that rise from 1, and may raise or let pass `RunStopped`, by which `report` ends it. A
trainer is called likewise, with the problem that it trains.

Importing this package loads no torch; what needs it loads when it is first used.
"""

from typing import TYPE_CHECKING, Any

from trainers.functions._caller import Caller, call, tell_returned
from trainers.functions._open import Called, FunctionSession, open_function, open_trainer
from trainers.functions._report import Report, RunStopped
from trainers.functions._trainers import Trainer, trainer_names, trainer_of, why_refused

if TYPE_CHECKING:
    from trainers.functions._training import train_function

__all__ = [
    "Called",
    "Caller",
    "FunctionSession",
    "Report",
    "RunStopped",
    "Trainer",
    "call",
    "open_function",
    "open_trainer",
    "tell_returned",
    "train_function",
    "trainer_names",
    "trainer_of",
    "why_refused",
]


def __getattr__(name: str) -> Any:
    if name != "train_function":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from trainers.functions._training import train_function

    return train_function
