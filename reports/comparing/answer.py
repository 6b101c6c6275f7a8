"""Which method with how much, how sure that is, and what would make it surer.

The comparison's sentence is about one method that the study asks about; this is about all of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from reports._ranking import number, objective_of
from reports._ranking import reference as stl_value
from reports.comparing.comparison import Comparison
from reports.comparing.differences import Difference, adjusted, against_stl, difference
from reports.comparing.wording import in_words, span
from reports.frames import StudyFrames
from reports.spending import AtBudget, EqualBudget
from storage.objectives.delta_m import NAME as DELTA_M
from storage.wording import counted, listed

_FIRST: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A study's answer in three steps, a few sentences each.

    Attributes:
        which: The method that is first at each budget, with its expected value.
        sure: Which others may be first as well, and how the best one does against the next.
        surer: What would tell more; empty where nothing is outstanding and all is decided.
        reading: How its values differ from those of whole searches, and what the sentence beside it
            is about.
    """

    which: tuple[str, ...]
    sure: tuple[str, ...]
    surer: tuple[str, ...]
    reading: str


def answer(
    frames: StudyFrames, comparison: Comparison, budgets: Sequence[EqualBudget]
) -> Answer | None:
    """Say it in words that follow intervals; None while no method has a value.

    Args:
        budgets: All methods at the study's natural budgets, rising.
    """
    groups = [list(found) for _, found in groupby(budgets, lambda one: one.methods[0].search)]
    if not groups:
        return None
    best, *others = [one for one in groups[-1][-1].methods if one.rank is not None]
    found = [difference(frames, best.search, other.search) for other in others]
    gaps = {gap.b: gap for gap in adjusted([gap for gap in found if gap is not None])}
    *earlier, last = (_which(frames, group) for group in groups)
    alone = frames.packed and budgets[-1].budget.axis == "solo_s"
    return Answer(
        which=(*earlier, last + " Device time is that of each run alone." * alone),
        sure=(
            *(_open(group) for group in groups),
            *_against(frames, comparison, best, others, gaps),
        ),
        surer=tuple(_surer(frames, comparison, best, others, gaps)),
        reading=_reading(comparison, best),
    )


def _reading(comparison: Comparison, best: AtBudget) -> str:
    values = "Values in the box are expected for so much, over all orders of a search’s trials"
    if comparison.objective.name == DELTA_M:
        values += (
            "; their intervals leave out the seed error of single-task networks, which all methods "
            "share and the table’s intervals hold"
        )
    about = [row.title for row in comparison.rows if row.search == comparison.subject]
    if comparison.subject == best.search or not about:
        return f"{values}."
    return f"{values}. The sentence below is about {about[0]}, whichever is first here."


def _which(frames: StudyFrames, group: Sequence[EqualBudget]) -> str:
    """What is first there, and the value that it comes to."""
    objective, first = objective_of(frames), group[0].methods[0]
    at_end = group[-1].methods[0]
    said = f"{at_end.title}, expected test {objective.title} {number(objective, at_end.value)}"
    within = (
        "no interval with one seed"
        if at_end.interval is None
        else f"95 % interval {span(objective, at_end.interval)}"
    )
    changed = len(group) > 1 and at_end.value != first.value
    by = f" with {group[-1].budget.said}" if changed else ""
    return f"{_amounts(group)}: {said}{by} ({within})."


def _open(group: Sequence[EqualBudget]) -> str:
    """Which methods the draws do not rule out as the first one, at any budget of a group."""
    best = group[0].methods[0]
    if best.rank_low is None:
        return f"{_amounts(group)}: one seed does not tell how sure this is."
    rivals = {
        one.title: None
        for at in group
        for one in at.methods
        if one.rank_low == _FIRST and one.search != best.search
    }
    if not rivals:
        others = "less than 2.5 % of draws over seeds give that to any other"
        return f"{_amounts(group)}, {best.title} is first: {others}."
    known = sum(one.rank is not None for one in group[-1].methods) - 1
    some = listed(sorted(rivals)) if len(rivals) < known or known < 3 else f"each of all {known}"
    draws = "2.5 % of draws over seeds or more give it"
    return f"{_amounts(group)}, first place is open: {draws} to {some}."


def _against(
    frames: StudyFrames,
    comparison: Comparison,
    best: AtBudget,
    others: Sequence[AtBudget],
    gaps: Mapping[str, Difference],
) -> Iterator[str]:
    """The best method with everything spent, against the next one and single-task networks."""
    objective = comparison.objective
    if not best.finished:
        return  # no verdict on what outstanding runs can change
    row = next(row for row in comparison.rows if row.search == best.search)
    if others and others[0].finished and others[0].search in gaps:
        said = in_words(gaps[others[0].search], objective, others[0].title)
        kind = ", confirmed on fresh seeds" * (row.delta_m_kind == "confirmed")
        whole = f"{best.title} with its whole search{kind}, beside the next"
        yield f"{whole}: {said[0].lower()}{said[1:]}."
    stl = stl_value(frames, "test")
    alone = against_stl(frames, best.search, stl=stl, metrics=row.metrics)
    if alone is not None:
        yield f"{in_words(alone, objective, 'single-task networks (STL)')}."


def _surer(
    frames: StudyFrames,
    comparison: Comparison,
    best: AtBudget,
    others: Sequence[AtBudget],
    gaps: Mapping[str, Difference],
) -> Iterator[str]:
    left = comparison.planned_runs - comparison.finished_runs
    if left:
        yield f"Finish the study: {counted(left, 'run')} outstanding."
    n_seeds = len(frames.seeds)
    if n_seeds < 2:
        yield "Add seeds: from two on there are intervals, from six on sign-flip tests."
    else:
        yield from _seeds(n_seeds, best, {one.title: gaps.get(one.search) for one in others})
    kinds = {row.delta_m_kind for row in comparison.rows if row.search == best.search}
    if "confirmed" not in kinds:
        yield (
            "Train winners again on fresh seeds, by a [confirm] table in the spec: their values "
            "rest on seeds that took part in the choice."
        )


def _seeds(n_seeds: int, best: AtBudget, gaps: Mapping[str, Difference | None]) -> Iterator[str]:
    """How many seeds would tell the best one from those that it cannot be told from."""
    open_ = {
        name: gap.seeds_to_decide
        for name, gap in gaps.items()
        if gap is not None and gap.interval is not None and gap.verdict == "undecided"
    }
    known = sorted((n, name) for name, n in open_.items() if n is not None)
    if known:
        (fewest, nearest), (most, farthest) = known[0], known[-1]
        said = f"about {counted(fewest, 'seed')} would decide against {nearest}"
        if most > fewest:
            said += f", about {most:,} against {farthest}"
        yield f"Add seeds: if differences stay what they are, {said}; there are {n_seeds}."
    if never := sorted(name for name, n in open_.items() if n is None):
        yield f"Even 10,000 seeds would not tell {best.title} from {listed(never)}."


def _amounts(group: Sequence[EqualBudget]) -> str:
    first, last = group[0].budget, group[-1].budget
    if first == last:
        return f"With {last.said}"
    number, _, unit = first.said.partition(" ")
    return f"With {number if last.said.endswith(f' {unit}') else first.said} to {last.said}"
