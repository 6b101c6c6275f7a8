"""Equal budgets in the page: what each method reaches with so much, and what it costs to match."""

import math
from collections.abc import Iterator, Sequence

from reports._titles import weighting_of
from reports.comparing.comparison import Comparison
from reports.figures import method_colour
from reports.frames import StudyFrames
from reports.html._tags import Markup, boxed, join, method_head, tag
from reports.spending import AtBudget, EqualBudget, not_held_said, value_said

_SURE = (
    "Expected test value of each method’s best trial at a budget, chosen on validation, with its "
    "95 % interval over seeds; below it the rank, with the middle 95 % of ranks over 2,000 draws."
)
_ONE_SEED = (
    "Expected test value of each method’s best trial at a budget, chosen on validation; below it "
    "the rank. One seed does not tell how sure they are."
)
_BUDGETS = "Budgets are what each search costs in full; those within a tenth of each other are one."
_ALONE = "Device time is that of each run alone."
_MATCHING = (
    "What each method pays until it is, for good, {goal}, in units of what {other} itself pays for "
    "that, which is the fair comparison, and of its whole search, which asks more of {other} than "
    "of the others."
)
_DRAWS = " Intervals: the middle 95 % of 2,000 draws."
_PAIRS = (
    "Share of pairs of seeds in which the method of the row is better than that of the column; "
    "ties count one half."
)


def budgets(
    frames: StudyFrames, comparison: Comparison, found: Sequence[EqualBudget]
) -> Markup | None:
    """The table of all budgets, one of pairs for each, and what it costs to match the reference.

    None while no method has a value.
    """
    if not found:
        return None
    searches = [one.search for one in found[-1].methods]
    heads = [tag("th", "Method", scope="col", class_="first")]
    heads += [tag("th", one.budget.said, scope="col") for one in found]
    body = [_row(frames, search, found) for search in searches]
    valued = [of for one in found for of in _valued(one)]
    sure = not valued or any(of.interval is not None for of in valued)
    pairs = [
        tag("details", tag("summary", f"Who is better at {one.budget.said}"), _pairs(frames, one))
        for one in found
        if sure and len(_valued(one)) > 1
    ]
    about = (_SURE, _BUDGETS, not_held_said(frames)) if sure else (_ONE_SEED, _BUDGETS)
    return tag(
        "section",
        tag("h2", "At equal budgets"),
        boxed(
            " ".join(filter(None, (*about, _ALONE * frames.packed))),
            tag("tr", *heads),
            body,
        ),
        *pairs,
        _matches(frames, comparison),
    )


def _matches(frames: StudyFrames, comparison: Comparison) -> Markup | None:
    """One row a method; None without a reference."""
    found = comparison.matches
    if not found:
        return None
    other = found[0].reference_title
    goal = f"the final value of {other}"
    if found[0].margin:
        goal = f"within {found[0].margin:g} of {goal}"
    drawn = any(not math.isnan(one.fair.low) for one in found)
    caption = _MATCHING.format(goal=goal, other=other) + _DRAWS * drawn
    named = (f"by what {other} pays for that", f"by the whole search of {other}", "never")
    heads = [tag("th", "Method", scope="col", class_="first")]
    heads += [tag("th", name, scope="col") for name in named]
    body = [
        tag(
            "tr",
            _method(frames, one.search, one.title),
            tag("td", f"{one.fair.said}{one.fair.spread}"),
            tag("td", f"{one.full.said}{one.full.spread}"),
            tag(
                "td",
                "–" if math.isnan(one.never_share) else f"{_share(one.never_share)} of draws",
            ),
        )
        for one in found
    ]
    return join([tag("h3", f"Cost to match {other}"), boxed(caption, tag("tr", *heads), body)])


def _row(frames: StudyFrames, search: str, found: Sequence[EqualBudget]) -> Markup:
    at = [next(one for one in budget.methods if one.search == search) for budget in found]
    return tag("tr", _method(frames, search, at[0].title), *_cells(frames, at))


def _cells(frames: StudyFrames, at: Sequence[AtBudget]) -> Iterator[Markup]:
    for one in at:
        told = [] if one.rank is None else [f"rank {one.rank_said}"]
        if told and one.share_said != "all":
            told.append(f"{one.share_said} of its search")
        said = tag("span", ", ".join(told), class_="unit")
        best = "best" if one.rank == 1 else "value"
        yield tag("td", join([value_said(frames, one), tag("br"), said]), class_=best)


def _pairs(frames: StudyFrames, found: EqualBudget) -> Markup:
    methods = _valued(found)
    heads = [tag("th", "Method", scope="col", class_="first")]
    heads += [tag("th", one.title, scope="col") for one in methods]
    body = [
        tag(
            "tr",
            _method(frames, one.search, one.title),
            *(
                tag("td", f"{one.better[other.search]:.2f}" if other is not one else "–")
                for other in methods
            ),
        )
        for one in methods
    ]
    return boxed(_PAIRS, tag("tr", *heads), body)


def _valued(found: EqualBudget) -> list[AtBudget]:
    return [one for one in found.methods if one.rank is not None]


def _share(share: float) -> str:
    return f"{100 * share:.0f} %"


def _method(frames: StudyFrames, search: str, title: str) -> Markup:
    return method_head(title, method_colour(weighting_of(frames, search)))
