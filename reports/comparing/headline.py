"""The study's answer in a few sentences, computed from the comparison and honest about gaps.

A method is called better or worse only where the interval of the difference excludes 0.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reports._ranking import number
from reports.comparing.cost_ratio import CostRatio
from reports.comparing.differences import Difference, Verdict
from reports.comparing.wording import by_verdict, in_words, seeds_said, span
from reports.inference import Interval
from reports.spending.matching import CostToMatch
from storage.objectives import Objective
from storage.objectives.delta_m import NAME as DELTA_M
from storage.wording import counted

_WORDS: Final[Mapping[Verdict, str]] = {
    "better": "better than",
    "worse": "worse than",
    "comparable": "comparable to",
    "undecided": "undecided against",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """What the headline needs to know of a method.

    Attributes:
        search: Name of its search.
        tuned: Its search varies anything but learning rate and weight decay.
        value: Its test value by the objective; NaN if there is none yet.
        interval: Of `value`; None where nothing tells it.
        kind: What the value rests on.
        n_seeds: Seeds behind the value.
        metrics: (task, metric) to its test value.
        finished: Final runs, of `planned`.
        shortfall: A sentence on how it was tuned less than the method that all is told of; empty if
            it was not, and of others than equal weighting.
    """

    search: str
    title: str
    tuned: bool
    value: float
    interval: Interval | None
    kind: str
    n_seeds: int
    metrics: Mapping[tuple[str, str], float]
    finished: int
    planned: int
    shortfall: str = ""

    @property
    def complete(self) -> bool:
        """Whether there is a value that no outstanding run can change."""
        return self.finished == self.planned and not math.isnan(self.value)

    @property
    def gap(self) -> str:
        """What is missing to be complete."""
        return f"{self.title} has {self.finished} of {self.planned} runs"


def headline(
    methods: Sequence[Contender],
    differences: Sequence[Difference],
    matches: Sequence[CostToMatch],
    *,
    objective: Objective,
    subject: str | None,
    reference: str | None,
    cost_ratio: CostRatio | None,
    finished: int,
    planned: int,
) -> str:
    """Say how a method does against STL, the grid over the tasks' weights, and the others.

    Args:
        methods: Best first.
        differences: Of the subject to others, as far as no outstanding run can change them.
        matches: What methods pay for the quality of the reference, likewise.
        objective: What methods are ranked by.
        subject: The search that the sentences are about.
        reference: The search with the largest grid over weights.
        cost_ratio: Of the subject's search and the reference's, each run alone; None if the cost
            of one of both is not known.
        finished: Final runs of the study, baseline included.
        planned: Planned runs of the study, baseline included.
    """
    so_far = f"{finished:,} of the {planned:,} runs planned so far have ended"
    parts = [] if finished == planned else [f"Incomplete: {so_far}."]
    if all(math.isnan(method.value) for method in methods):
        yet = "" if all(method.kind == "none" for method in methods) else " yet"
        return " ".join([*parts, f"Undecided: no method has a value{yet}."])
    mine = next(method for method in methods if method.search == subject)
    if math.isnan(mine.value):
        why = "" if mine.kind == "none" else " yet"
        return " ".join([*parts, f"Undecided: {mine.title} has no value{why}."])
    known = {found.b: found for found in differences}
    parts.append(_reaches(mine, objective, known.get("stl")))
    other = next((method for method in methods if method.search == reference), None)
    if other:
        match = next((found for found in matches if found.search == mine.search), None)
        gap = known.get(other.search)
        parts += _against_reference(mine, other, objective, gap, match, cost_ratio)
    rest = [method for method in methods if method not in (mine, other)]
    for kind, tuned in (("tuning-free", False), ("other tuned", True)):
        parts += _against_many(kind, [m for m in rest if m.tuned is tuned], known)
    return " ".join(parts)


def _reaches(method: Contender, objective: Objective, stl: Difference | None) -> str:
    if math.isinf(method.value):
        return f"{method.title} has no finite value: its winner diverges on a fresh seed."
    level = number(objective, method.value)
    seeds = counted(method.n_seeds, "seed")
    spread = f"{method.kind}, {seeds}"
    if method.interval is None:
        spread += ": no interval"
    else:
        spread = f"95 % interval {span(objective, method.interval)}; {spread}"
    reached = f"{method.title} reaches a test {objective.title} of {level} ({spread})"
    if stl is None:
        return f"{reached}."
    verdict = f"{reached}: {_WORDS[stl.verdict]} {_stl(objective, method.value - stl.value)}"
    if stl.verdict == "undecided":
        return f"{verdict}{seeds_said(stl)}."
    if stl.verdict == "comparable":
        return f"{verdict}, within the margin of {stl.margin:g}."
    return f"{verdict}{_size_of_no_matter(stl)}."


def _stl(objective: Objective, level: float) -> str:
    """The single-task networks, with their value where it is not 0 by definition."""
    level_said = "" if objective.name == DELTA_M else f", {number(objective, level)}"
    return f"single-task networks (STL{level_said})"


def _size_of_no_matter(found: Difference) -> str:
    if found.matters is False:
        return f", by less than the margin of {found.margin:g}"
    return ""


def _against_reference(
    method: Contender,
    other: Contender,
    objective: Objective,
    found: Difference | None,
    match: CostToMatch | None,
    cost_ratio: CostRatio | None,
) -> list[str]:
    waiting = [m.gap for m in (method, other) if not m.complete]
    if waiting:
        return [f"Undecided against {other.title}: {' and '.join(waiting)}."]
    costs = [match.sentence] if match else []
    share = f"an unknown share of the cost of {other.title}"
    if cost_ratio is not None:
        share = cost_ratio.in_words(other.title)
    costs.append(f"Its search took {share}.")
    if found is None or not math.isfinite(found.value):
        return [f"No difference to {other.title} can be given.", *costs]
    return [f"{in_words(found, objective, other.title)}.", *costs]


def _against_many(
    kind: str, others: Sequence[Contender], known: Mapping[str, Difference]
) -> list[str]:
    """Count verdicts; a method that may still change is not counted."""
    decided = [method for method in others if method.search in known]
    parts = []
    if decided:
        said = by_verdict({m.title: known[m.search].verdict for m in decided}, _WORDS)
        parts.append(f"Of {counted(len(decided), f'{kind} method')} it is {said}.")
        beaten = [method for method in decided if known[method.search].verdict == "better"]
        parts += [method.shortfall for method in beaten if method.shortfall]
    if waiting := [method.title for method in others if method not in decided]:
        parts.append(f"Undecided against {', '.join(waiting)}: runs are missing.")
    return parts
