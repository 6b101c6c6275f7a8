"""Strategies: what a stage tries next, as pure functions of its space and its history."""

from study.searches.strategy import wish
from study.searches.view import StageView, Tried, Wish

__all__ = ["StageView", "Tried", "Wish", "wish"]
