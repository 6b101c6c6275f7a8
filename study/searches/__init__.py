"""Strategies: what a stage tries next, as pure functions of its space and its history."""

from study.searches.strategy import wish
from study.searches.view import Proposals, StageView, Tried

__all__ = ["Proposals", "StageView", "Tried", "wish"]
