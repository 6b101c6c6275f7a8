"""Strategies: what a stage tries next, as pure functions of its space and its history."""

from study.searches.strategy import StageView, Tried, Wish, wish

__all__ = ["StageView", "Tried", "Wish", "wish"]
