"""Other strategies played on what a search has recorded, without training anything.

A `RecordedTable` is one stage of a search as plain arrays; a strategy says in which order, and how
far, its trials are trained; `replay` tells what each comes to and costs. It knows the frames of a
study, and nothing of databases; strategies that need a library of their own are passed in.
"""

from reports.replaying.playing import replay
from reports.replaying.results import Replays, Spread, StrategyReplay
from reports.replaying.strategies import STRATEGIES, Sampler, rungs
from reports.replaying.table import RecordedTable, recorded_table

__all__ = [
    "STRATEGIES",
    "RecordedTable",
    "Replays",
    "Sampler",
    "Spread",
    "StrategyReplay",
    "recorded_table",
    "replay",
    "rungs",
]
