"""Ranges of whole numbers: evenly spread, or over their logarithm."""

from search_spaces._int_range import IntRange
from search_spaces._log_int_range import LogIntRange

__all__ = ["IntRange", "LogIntRange"]
