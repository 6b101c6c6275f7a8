"""Budgets as the limits that claims of runs are checked against, and the price of a device.

Trial budgets are kept where trials are proposed, in `study.deciding.advance`. What runs when a
limit is reached is ended by `study.running.limiter`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from storage.limits import NOTHING, Amount, Limit, Limits, exceeded
from storage.wording import counted
from study.errors import WorkersUnusable

if TYPE_CHECKING:
    from storage.records import SearchRecord, Totals
    from study.planning.plan import Plan
    from study.spec.study_spec import BudgetSpec, StudySpec


def limits_of(plan: Plan, searches: Sequence[SearchRecord]) -> Limits | None:
    """The limits of a study and its searches; None without any."""
    ids = {record.name: record.id for record in searches}
    whole = _limit(plan.spec.budget)
    parts = {ids[search.name]: _limit(search.budget) for search in plan.searches}
    limited = {search: limit for search, limit in parts.items() if limit != Limit()}
    return None if whole == Limit() and not limited else Limits(study=whole, searches=limited)


def said(budget: BudgetSpec, exhausted: str) -> str:
    """A limit of a study in words; `exhausted` names it as a claim does."""
    words = {
        "epochs": f"the budget of {counted(budget.epochs or 0, 'epoch')}",
        "device_s": f"the budget of {budget.device_s or 0:g} device-seconds",
        "money": f"the budget of {budget.money or 0:g} in money",
    }
    return words[exhausted]


def used_up(limits: Limits, used: Mapping[int | None, Amount]) -> tuple[str, frozenset[int]]:
    """The limit that a study has reached, empty if none, and the searches that have reached theirs.

    Epochs are left out: those of a run are set aside before it is handed out.

    Args:
        used: By search; None: what belongs to no search.
    """
    whole = sum(used.values(), NOTHING)
    reached = exceeded(replace(limits.study, epochs=None), whole, NOTHING)
    searches = {
        search
        for search, limit in limits.searches.items()
        if exceeded(replace(limit, epochs=None), used.get(search, NOTHING), NOTHING)
    }
    return reached, frozenset(searches)


def left(budget: Mapping[str, Any], paid: Totals) -> dict[str, float]:
    """What remains of each limit of a study that counts over all its commands; never below 0.

    Args:
        budget: As in the study's plain spec.
    """
    used = {
        "trials": paid.trials,
        "epochs": paid.epochs,
        "device_s": paid.device_s,
        "money": paid.money or 0.0,
    }
    limits = {kind: budget.get(kind) for kind in used}
    return {kind: max(limit - used[kind], 0) for kind, limit in limits.items() if limit is not None}


def price_per_h(spec: StudySpec, device: str) -> float | None:
    """What an hour of a device costs; None if the spec does not say.

    Raises:
        WorkersUnusable: Money is limited and the device has no price.
    """
    prices = spec.cost.price_per_h
    price = prices.get(device) if isinstance(prices, dict) else prices
    if price is None and spec.limits_money:
        raise WorkersUnusable(
            f"A budget of money needs the price of every device. The device {device!r} has none. "
            "Add it to `price_per_h` of [cost], or drop `money` from the budgets."
        )
    return price


def _limit(budget: BudgetSpec) -> Limit:
    return Limit(epochs=budget.epochs, device_s=budget.device_s, money=budget.money)
