"""Engines train a pack; `train` takes the one that is fixed for its searches.

They know problems, weightings and optimisers, and neither workers nor studies.
"""

from trainers.engines.calibration import calibrate
from trainers.engines.looking.fusable import network_facts
from trainers.engines.looking.promises import promises
from trainers.engines.session import Session, open_session
from trainers.engines.timing import time_steps
from trainers.engines.training import train

__all__ = [
    "Session",
    "calibrate",
    "network_facts",
    "open_session",
    "promises",
    "time_steps",
    "train",
]
