"""The tables of ``compare --at``: all methods at one and the same budget."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from study.cli._output import next_step, note, print_json, say
from study.cli._wide import Column, show

if TYPE_CHECKING:
    from reports import StudyFrames
    from reports.spending import AtBudget, Budget, EqualBudget

NATURAL = "full"
"""Asks for the budgets that searches cost in full."""

_READING: Final = (
    "Values are expected over all orders of a grid, and as run where a search builds on its "
    "results; chosen on validation. In brackets: 95 % intervals over seeds, and the middle 95 % of "
    "ranks. P: share of pairs of seeds in which the method is better than the one named above."
)
_ALONE: Final = (
    "Time is that of each run alone, and intervals hold how sure that is; --as-run asks for that "
    "in packs."
)


def show_budgets(
    frames: StudyFrames, texts: Sequence[str], *, storage: str, as_run: bool, as_json: bool
) -> None:
    """Print a table a budget, or all of them as JSON.

    Raises:
        BadBudget: A text is no budget, they are not of one unit, or there are no methods.
    """
    from reports.errors import BadBudget
    from reports.spending import equal_budgets, not_held_said, parse_budgets, why_no_curve

    if frames.of_function:
        raise BadBudget(
            f"Budgets compare methods, and {frames.name} is a study of a training function. "
            "Leave out --at for its trials."
        )
    if NATURAL in texts and len(texts) > 1:
        raise BadBudget(f"`{NATURAL}` must be the only budget. Got {', '.join(texts)}.")
    if list(texts) == [NATURAL]:
        found = equal_budgets(frames, axis="as_run_s" if as_run else "solo_s")
    else:
        found = equal_budgets(frames, parse_budgets(texts, as_run=as_run))
    if as_json:
        why_none = "" if found else why_no_curve(frames)
        budgets = [one.to_plain() for one in found]
        print_json(
            "compare.budgets", {"study": frames.name, "budgets": budgets, "why_none": why_none}
        )
        return
    if not found:
        say(why_no_curve(frames))
    for one in found:
        _show(frames, one)
    if found:
        if not all(one.finished for one in found[0].methods):
            note("Searches with runs outstanding are told by those that have ended (“so far”).")
        alone = found[0].budget.axis == "solo_s" and frames.packed
        said = (_READING, not_held_said(frames), _ALONE if alone else "")
        say(" ".join(filter(None, said)))
        next_step("report", frames.name, "-o", "report.html", storage=storage)


def _show(frames: StudyFrames, found: EqualBudget) -> None:
    from reports.spending import value_said

    say((f"At {found.budget.said}", "bold"), f"  ({found.why})" if found.why else "")
    methods = found.methods
    key = Column(head="method", cells=[one.title for one in methods], text=True)
    valued = [one for one in methods if one.rank is not None]
    show(
        key,
        [
            Column(head="rank", cells=[one.rank_said for one in methods]),
            Column(head="expected test value", cells=[value_said(frames, one) for one in methods]),
            Column(head="of its search", cells=[_of_search(one, found.budget) for one in methods]),
            *(
                Column(head=f"P vs\n{other.title}", cells=[_share(one, other) for one in methods])
                for other in valued
            ),
        ],
    )


def _of_search(one: AtBudget, budget: Budget) -> str:
    if one.rank is not None:
        return one.share_said
    if one.first_cost == math.inf:
        return "no winner yet"
    return f"too little: a winner from {replace(budget, amount=one.first_cost).said} on"


def _share(one: AtBudget, other: AtBudget) -> str:
    share = one.better.get(other.search, math.nan)
    return "–" if math.isnan(share) else f"{share:.2f}"
