"""How a run of the command ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from storage import RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a `run` ended.

    Attributes:
        limit: The budget that ended it, empty if none did.
        stopped: Searches that ended before their last stage, with the reason.
        interrupted: Whether it was asked to stop.
        n_mismatches: Epochs that were trained again and came out otherwise.
    """

    states: Mapping[RunState, int]
    limit: str
    stopped: Mapping[str, str]
    interrupted: bool
    n_mismatches: int = 0

    @property
    def n_failed(self) -> int:
        """Runs that failed."""
        return self.states.get(RunState.FAILED, 0)
