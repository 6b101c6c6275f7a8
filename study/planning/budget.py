"""Budgets as the limits that claims of runs are checked against, and the price of a device.

Trial budgets are kept where trials are proposed, in `study.deciding.advance`. What runs when a
limit is reached is ended by `study.running.limiter`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from storage.limits import NOTHING, Amount, Limit, Limits, exceeded
from storage.records import limits_of_study
from storage.wording import counted, limit_said
from study.errors import WorkersUnusable

if TYPE_CHECKING:
    from storage.records import SearchRecord, StudyRecord, Totals
    from study.planning.plan import Plan
    from study.spec.budget import BudgetSpec
    from study.spec.study_spec import StudySpec


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
        "device_s": f"the budget of {limit_said(budget.device_s or 0)} device-seconds",
        "money": f"the budget of {limit_said(budget.money or 0)} in money",
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


def left(spec: Mapping[str, Any], paid: Totals) -> dict[str, float]:
    """What remains of each limit of a study that counts over all its commands; never below 0.

    Args:
        spec: The study's, as plain values.
    """
    found = {one.kind: one.left for one in limits_of_study(spec, paid.used)}
    return {kind: of for kind, of in found.items() if of is not None}


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


def rebudgeted(plan: Plan, stored: StudyRecord) -> Plan:
    """A plan with the budgets that its study has by now.

    `wall_s` limits one command: another one's is not followed, unless it was raised.
    """
    from study.spec.study_spec import parse  # takes long to load, and `status` does without

    budgets = parse(stored.spec, source=f"of the stored study {stored.name}")
    own, spec = plan.spec.budget, plan.spec
    raised = stored.raised.get("", {}).get("wall_s")
    wall_s = own.wall_s if own.wall_s is None or raised is None else max(own.wall_s, raised)
    whole = budgets.budget.model_copy(update={"wall_s": wall_s})
    of_search = {
        part.name or name: part.budget for part in budgets.search for name in part.weightings
    }
    parts = [
        part.model_copy(
            update={"budget": of_search.get(part.name or part.weightings[0], part.budget)}
        )
        for part in spec.search
    ]
    return replace(
        plan,
        spec=spec.model_copy(update={"budget": whole, "search": parts}),
        searches=[
            replace(search, budget=of_search.get(search.name, search.budget))
            for search in plan.searches
        ],
    )


def with_raises(plan: Plan, stored: StudyRecord, *, say: Callable[[str], None]) -> Plan:
    """The plan with the budgets that commands have raised above its spec's.

    Args:
        say: Told which those are, if there are any.
    """
    raised = rebudgeted(plan, stored)
    parts = [(" of the study", plan.spec.budget, raised.spec.budget)]
    for part, after in zip(plan.spec.search, raised.spec.search, strict=True):
        parts.append((f" of {part.name or '+'.join(part.weightings)}", part.budget, after.budget))
    found = [
        f"{kind}{of} is {_plainly(most)} (the spec: {_plainly(said)})"
        for of, before, after in parts
        for kind, said in before
        if (most := getattr(after, kind)) != said
    ]
    if found:
        say(
            f"Budgets stay as `weighbridge budget` has raised them: {', '.join(found)}. Write them "
            "into the spec, or lower one of the study by `run --budget`."
        )
    return raised


def raised_said(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What a command has raised, in words: limits as its entry in the audit has them."""
    search, was = after.get("search"), before["budget"]
    changes = ", ".join(
        f"{kind} {_plainly(was[kind])} -> {_plainly(value)}"
        for kind, value in after["budget"].items()
    )
    return f"Budget{f' of search {search}' if search else ''} raised: {changes}"


def _plainly(value: float | None) -> str:
    """One way of writing, whether or not a spec said it with a point."""
    return "none" if value is None else limit_said(value)


def _limit(budget: BudgetSpec) -> Limit:
    return Limit(epochs=budget.epochs, device_s=budget.device_s, money=budget.money)
