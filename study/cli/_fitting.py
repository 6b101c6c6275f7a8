"""``plan --budget``: versions of a study that fit, what each costs, and what it still resolves."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from storage.amounts import Kind, read_amount
from storage.wording import limit_said
from study.api import Study
from study.cli._forecast import between
from study.cli._output import amount, console, duration, note, say
from study.cli._resolve import sized, version
from study.cli._wide import Column, show
from study.deciding.forecast import Forecast, Range
from study.errors import BadSpec
from study.planning.plan import Plan
from study.planning.smaller import Smaller, smaller

if TYPE_CHECKING:
    from reports.comparing.resolving import Needs
    from reports.spending import Budget
    from reports.spending.axes import CostAxis
    from study.running.forecasting import Known

_MOST: Final = 5
_AXES: Final[Mapping[Kind, CostAxis]] = {"device_s": "solo_s", "epochs": "epochs", "money": "money"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One version of the study.

    Attributes:
        cost: From now on, in the budget's unit.
        surely: Whether the upper end of its cost fits, too.
        runs: From now on.
        half_width: To what it tells two methods apart, in the pilot's unit; None without a pilot.
        short: Methods that get fewer trials than it takes to come within the margin of their end.
    """

    cut: Smaller
    cost: Range
    surely: bool
    runs: float
    half_width: float | None
    short: Sequence[str]

    @property
    def rank(self) -> tuple[Any, ...]:
        """First what surely fits, tells most, has trials enough, and has been cut least."""
        told = -len(self.cut.seeds) if self.half_width is None else round(self.half_width, 6)
        return not self.surely, told, len(self.short), self.cut.n_cuts

    def beats(self, other: Option) -> bool:
        """Whether the other one gives up more, and fits no more surely."""
        mine, theirs = self.cut, other.cut
        no_worse = (
            len(mine.seeds) >= len(theirs.seeds)
            and mine.every <= theirs.every
            and mine.halved <= theirs.halved
            and self.surely >= other.surely
        )
        return no_worse and mine != theirs

    def to_plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        known = self.half_width is not None and math.isfinite(self.half_width)
        return {
            "what": self.cut.said,
            "seeds": list(self.cut.seeds),
            "every": self.cut.every,
            "halving": self.cut.halved,
            "cost": self.cost.to_plain(),
            "surely": self.surely,
            "runs": self.runs,
            "half_width": self.half_width if known else None,
            "too_few_trials": list(self.short),
            "toml": self.cut.toml,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """Versions of a study that fit in a budget.

    Attributes:
        begun: The study is stored, so that only its grids can be cut.
        of_function: It has no methods to tell apart.
        options: The best ones first.
        cheapest: The cheapest version of all, if nothing fits; None if its cost is not known.
    """

    budget: Budget
    pilot: Needs | None
    begun: bool
    of_function: bool
    options: Sequence[Option]
    cheapest: Option | None

    def to_plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {
            "limit": self.budget.amount,
            "unit": self.budget.axis if self.budget.axis != "solo_s" else "device_s",
            "options": [option.to_plain() for option in self.options],
            "cheapest": self.cheapest and self.cheapest.to_plain(),
        }


def fitting(study: Study, text: str, known: Known, pilot: Needs | None, *, device: str) -> Fitting:
    """The versions of a study that a budget allows.

    Args:
        text: The budget as it was typed.
        pilot: What tells how finely methods are told apart; None: nothing does.

    Raises:
        BadAmount: The text is no budget of device time, epochs or money.
        BadSpec: There is no price.
    """
    budget = _parsed(text)
    found = []
    for cut in smaller(study.plan.spec):
        plan = version(study, {key: cut.plain[key] for key in ("seeds", "search")})
        if cut.n_cuts and not known.allows(plan):
            continue  # what has begun keeps its seeds and its rules
        ahead = known.forecast(plan, device=device)
        if budget.axis == "money" and ahead.left_s is not None and ahead.money_left is None:
            raise BadSpec(
                f"A budget of money needs the price of device time. {study.name} has none. "
                "Add `price_per_h` to [cost], or give device time."
            )
        if (cost := _cost(ahead, budget)) is not None:
            found.append(_option(cut, plan, ahead.runs_left, cost, pilot, budget))
    fit = [option for option in found if option.cost.value <= budget.amount]
    best = [one for one in fit if not any(other.beats(one) for other in fit)]
    return Fitting(
        budget=budget,
        pilot=pilot,
        begun=known.begun,
        of_function=study.plan.spec.function is not None,
        options=sorted(best, key=lambda one: one.rank)[:_MOST],
        cheapest=None if fit else min(found, key=lambda one: one.cost.value, default=None),
    )


def _parsed(text: str) -> Budget:
    from reports.spending import Budget  # loads slowly

    kind, most = read_amount(text, of=_AXES)
    return Budget(axis=_AXES[kind], amount=float(most))


def _cost(ahead: Forecast, budget: Budget) -> Range | None:
    """What is yet to be spent, in the budget's unit; None where that is not known."""
    return _COSTS[budget.axis](ahead)


def _epochs(ahead: Forecast) -> Range:
    return Range(
        value=sum(search.epochs_left for search in ahead.searches),
        low=sum(search.least_epochs for search in ahead.searches),
        high=sum(search.most_epochs for search in ahead.searches),
    )


_COSTS: Final[Mapping[str, Callable[[Forecast], Range | None]]] = {
    "solo_s": lambda ahead: ahead.left_s,
    "epochs": _epochs,
    "money": lambda ahead: ahead.money_left,
}


def _option(
    cut: Smaller, plan: Plan, runs: float, cost: Range, pilot: Needs | None, budget: Budget
) -> Option:
    n_seeds, tried = len(plan.spec.seeds), {s.name: s.expected_trials for s in plan.searches}
    needed = () if pilot is None else pilot.trials
    return Option(
        cut=cut,
        cost=cost,
        surely=cost.high is not None and cost.high <= budget.amount,
        runs=runs,
        half_width=None if pilot is None else pilot.half_width_at(n_seeds),
        short=[one.title for one in needed if tried.get(one.search, math.inf) < one.trials],
    )


def show_fitting(found: Fitting) -> None:
    """A row for each version that fits, and what to paste for it."""
    budget, options = found.budget, found.options
    said = duration(budget.amount) if budget.axis == "solo_s" else limit_said(budget.amount)
    unit = {"solo_s": "of device time", "epochs": "epochs", "money": "in money"}[budget.axis]
    head = f"in {said} {unit} from now on"
    if not options:
        say(("budget:", "bold"), f" {head}: {_nothing(found)}")
        return
    whole = options[0].cut.n_cuts == 0
    say(("budget:", "bold"), f" {head} the study fits{' as it is' if whole else ', cut like this'}")
    columns = [
        Column(head="runs left", cells=[f"{one.runs:.0f}" for one in options]),
        Column(head="cost", cells=[_cost_said(one.cost, budget) for one in options]),
        Column(head="fits", cells=["yes" if one.surely else "likely" for one in options]),
    ]
    if (pilot := found.pilot) is not None:
        margin = sized(pilot, pilot.half_width)
        columns += [
            Column(
                head=f"tells two\nmethods to ±, by {pilot.pilot}",
                cells=[_resolved(pilot, one) for one in options],
            ),
            Column(
                head=f"too few trials to come within\n{margin} of their end",
                cells=[", ".join(one.short) or "none" for one in options],
                text=True,
            ),
        ]
    numbers = [f"{i}  {one.cut.said}" for i, one in enumerate(options, start=1)]
    show(Column(head="version", cells=numbers, text=True), columns)
    for number, one in enumerate(options, start=1):
        if one.cut.toml:
            say((f"version {number}", "bold"), ", in the spec:")
            console.print(one.cut.toml, markup=False, highlight=False, soft_wrap=True)
    if found.pilot is None and not found.of_function:
        note("No pilot tells how finely methods are told apart: name a study with --like.")


def _nothing(found: Fitting) -> str:
    if found.cheapest is None:
        return "nothing of this shape was timed yet. Ask by epochs, such as 200epochs"
    cost = _cost_said(found.cheapest.cost, found.budget)
    if found.begun:
        return (
            f"no version fits. The smallest ({found.cheapest.cut.said}) takes {cost}. What has "
            "begun keeps its seeds and stopping rules: limit it by [budget], or begin a smaller "
            "study under another name"
        )
    return (
        "no version fits. The smallest that fewer seeds, coarser grids and halving leave "
        f"({found.cheapest.cut.said}) takes {cost}. Drop searches, learning rates or epochs"
    )


def _cost_said(cost: Range, budget: Budget) -> str:
    if budget.axis == "solo_s":
        return f"{duration(cost.value)}{between(cost)}"
    said = (lambda of: f"{of:,.0f}") if budget.axis == "epochs" else amount
    value, low, high = (
        None if of is None else said(of) for of in (cost.value, cost.low, cost.high)
    )
    return f"{value}" if low in (None, high) else f"{value} ({low} to {high})"


def _resolved(pilot: Needs, one: Option) -> str:
    half_width = one.half_width
    return "–" if half_width is None or math.isinf(half_width) else sized(pilot, half_width)
