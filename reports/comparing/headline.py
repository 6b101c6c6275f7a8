"""The study's answer in a few sentences, computed from the comparison and honest about gaps."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from reports._ranking import number
from storage.objectives import Objective
from storage.objectives.delta_m import NAME as DELTA_M

# Weightings without a hyperparameter of their own: learning rate and weight decay are all to tune.
_TUNING_FREE: Final = frozenset(
    {"ew", "rlw", "dwa", "gls", "imtl-l", "uw", "uw-o", "pcgrad", "famo"}
)
# What differences of percents are.
_POINTS: Final = {"%": "points"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """What the headline needs to know of a method.

    Attributes:
        value: Its test value by the objective; NaN if there is none yet.
        sd: Its standard deviation over seeds; may be NaN.
        kind: What the value rests on.
        cost_solo_s: Method cost of the whole search in device-seconds, as if each run had been
            trained alone.
        cost_as_run_s: The same as it was run.
        finished: Final runs, of `planned`.
    """

    title: str
    weighting: str
    value: float
    sd: float
    kind: str
    cost_solo_s: float
    cost_as_run_s: float
    finished: int
    planned: int

    @property
    def complete(self) -> bool:
        """Whether there is a value that no outstanding run can change."""
        return self.finished == self.planned and not math.isnan(self.value)


def headline(
    methods: Sequence[Contender],
    *,
    objective: Objective,
    stl: float,
    finished: int,
    planned: int,
    margin: float,
) -> str:
    """Say how UW-SO does against Scalarization, STL and the tuning-free methods.

    A study without UW-SO is told by its best method.

    Args:
        methods: Best first.
        objective: What they are ranked by.
        stl: Its value for the single-task networks; NaN without them.
        finished: Final runs of the study, baseline included.
        planned: Planned runs of the study, baseline included.
        margin: Points of delta_m that count as comparable.
    """
    valued = [method for method in methods if not math.isnan(method.value)]
    parts = [] if finished == planned else [f"Incomplete: {finished} of {planned} runs finished."]
    if not valued:
        yet = "" if all(method.kind == "none" for method in methods) else " yet"
        return " ".join([*parts, f"Undecided: no method has a value{yet}."])
    subject = next((m for m in methods if m.weighting == "uw-so"), valued[0])
    reference = next((m for m in methods if m.weighting == "scalarization"), None)
    if math.isnan(subject.value):
        why = "" if subject.kind == "none" else " yet"
        return " ".join([*parts, f"Undecided: {subject.title} has no value{why}."])
    parts.append(_against_stl(subject, objective, stl))
    if reference and reference is not subject:
        parts.append(_against_reference(subject, reference, objective, margin))
    free = [m for m in methods if m.weighting in _TUNING_FREE and m is not subject]
    parts += _against_free(subject, free, objective.sign)
    return " ".join([*parts, "All values are point estimates."])


def _against_stl(method: Contender, objective: Objective, stl: float) -> str:
    if math.isinf(method.value):
        return f"{method.title} has no finite value: its winner diverges on a fresh seed."
    sd = number(replace(objective, unit=""), method.sd, plus=False)
    spread = f"± {sd} over seeds, {method.kind}"
    if math.isnan(method.sd):
        spread = f"{method.kind}, one seed"
    reached = f"a test {objective.name} of {number(objective, method.value, plus=False)} ({spread})"
    gap = objective.sign * (method.value - stl)
    if math.isnan(gap):
        return f"{method.title} reaches {reached}."
    verdict = "better than" if gap < 0 else "worse than" if gap > 0 else "no different from"
    level = number(replace(objective, shown=".4g"), stl)
    return f"{method.title} reaches {reached}: {verdict} single-task networks (STL, {level})."


def _against_reference(
    method: Contender, other: Contender, objective: Objective, margin: float
) -> str:
    waiting = [m for m in (method, other) if not m.complete]
    if waiting:
        gaps = " and ".join(f"{m.title} has {m.finished} of {m.planned} runs" for m in waiting)
        return f"Undecided against {other.title}: {gaps}."
    share = _cost_share(method, other)
    if not math.isfinite(method.value - other.value):
        return f"No difference to {other.title} can be given; its cost was {share}."
    gap = objective.sign * (method.value - other.value)
    size = number(replace(objective, unit=_POINTS.get(objective.unit, "")), abs(gap), plus=False)
    verdict = f"{size} {'better' if gap < 0 else 'worse'} than" if gap else "equal to"
    level = number(objective, other.value, plus=False)
    inside = ""
    if objective.name == DELTA_M:  # the margin is one of its points
        inside = f", {'within' if abs(gap) <= margin else 'beyond'} the margin of {margin:g}"
    return f"That is {verdict} {other.title} ({level}){inside}, at {share}."


def _cost_share(method: Contender, other: Contender) -> str:
    costs = (method.cost_solo_s, other.cost_solo_s, method.cost_as_run_s, other.cost_as_run_s)
    if min(costs) <= 0:
        return "an unknown share of its search cost"
    alone, as_run = 100 * costs[0] / costs[1], 100 * costs[2] / costs[3]
    said = f"{alone:.0f} % of its search cost in device-seconds"
    return said if costs[:2] == costs[2:] else f"{said}, each run alone ({as_run:.0f} % as run)"


def _against_free(method: Contender, free: Sequence[Contender], sign: float) -> list[str]:
    """Count whom the method beats; a method that may still change is not counted."""
    decided = [m for m in free if m.complete] if method.complete else []
    parts = []
    if decided:
        beaten = [m.title for m in decided if sign * method.value < sign * m.value]
        names = f" ({', '.join(beaten)})" if beaten else ""
        parts.append(
            f"It is better than {len(beaten)} of {len(decided)} tuning-free methods{names}."
        )
    if len(decided) < len(free):
        names = ", ".join(m.title for m in free if m not in decided)
        parts.append(f"Undecided against {names}.")
    return parts
