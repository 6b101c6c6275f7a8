"""What trials are ranked by: one number an epoch, made of its metrics. A file a kind of number.

Values and pure functions; of databases nothing is known here.
"""

from storage.objectives._front import beats, named, on_front, title_of
from storage.objectives._objective import ByMetric, DirectedMetric, Objective
from storage.objectives._of_card import honest_metrics, of_card
from storage.objectives._registry import known

__all__ = [
    "ByMetric",
    "DirectedMetric",
    "Objective",
    "beats",
    "honest_metrics",
    "known",
    "named",
    "of_card",
    "on_front",
    "title_of",
]
