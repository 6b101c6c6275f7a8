"""Budgets of epochs and time: whether more work may be handed out.

Trial budgets are kept where trials are proposed, in `study.advance`.
"""

from __future__ import annotations

from dataclasses import dataclass

from study.spec import BudgetSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What has been used, with what is being trained now counted in full.

    Attributes:
        wall_s: Since this `run` command began.
    """

    epochs: int
    device_s: float
    wall_s: float


def exhausted(budget: BudgetSpec, used: Used, *, next_epochs: int) -> str | None:
    """Which limit forbids another run of `next_epochs` epochs; None if it may be handed out."""
    if budget.epochs is not None and used.epochs + next_epochs > budget.epochs:
        return f"the budget of {budget.epochs} epochs"
    if budget.device_s is not None and used.device_s >= budget.device_s:
        return f"the budget of {budget.device_s:g} device-seconds"
    if budget.wall_s is not None and used.wall_s >= budget.wall_s:
        return f"the limit of {budget.wall_s:g} s for one run of the command"
    return None
