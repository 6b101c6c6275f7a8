"""The page of a training function's study: its trials by its own metric, and what they cost.

There is no baseline to compare with, and so no delta_m, no budget curve, and of the notes on fair
play only those on the conditions of the runs. In their place: the course of each search.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reports.frames import StudyFrames
from reports.html._exhibits import exhibits_section
from reports.html._front import front_section
from reports.html._function_plots import function_plots, importance_plot
from reports.html._function_seen import how_sure, what_would_tell
from reports.html._plots import plot
from reports.html._problem import problem
from reports.html._ran import what_was_run
from reports.html._tags import Markup, answered, boxed, join, tag
from reports.html._words import count, number, value_of
from reports.importances import Estimators, importances
from reports.notes.condition_notes import mixed_conditions, mixed_user_code
from reports.trials import SearchTrials, TrialRow, best_sentence, ranked, trials
from storage.notices import notices

_HEADS = ("State", "device-seconds", "Epochs", "Seeds", "Parameters")
_MOST_ROWS = 50


def function_body(
    frames: StudyFrames, *, light: bool, estimators: Estimators | None = None
) -> Markup:
    """Everything between header and footer, both included.

    Args:
        light: Figures are still pictures.
        estimators: Of importances, where trials are no full grid.
    """
    found = trials(frames)
    return join(
        [
            tag(
                "header",
                tag("p", "Weighbridge report", class_="eyebrow"),
                tag("h1", frames.name),
                _answer(frames, found),
            ),
            tag(
                "main",
                problem(frames.card),
                *(tag("p", tag("strong", "Note: "), note) for note in _notes(frames)),
                front_section(frames, light=light),
                *(_section(frames, search, light, estimators) for search in found),
                exhibits_section(frames, light=light),
                what_was_run(frames),
            ),
        ]
    )


def _notes(frames: StudyFrames) -> Iterator[str]:
    """What must be known of the study, and under what different conditions its runs were made."""
    yield from notices(frames.spec, sealed=frames.sealed)
    for rule in (mixed_conditions, mixed_user_code):
        yield from (note.text for note in rule(frames))


def _answer(frames: StudyFrames, found: Sequence[SearchTrials]) -> Markup:
    """The first screen, as that of a study that compares methods."""
    return answered(
        {
            "Which trial?": [best_sentence(found)],
            "How sure is that?": how_sure(frames, found),
            "What would make it surer?": what_would_tell(frames, found),
        }
    )


def _section(
    frames: StudyFrames, search: SearchTrials, light: bool, estimators: Estimators | None
) -> Markup:
    explained = importances(frames, search.search, estimators)
    return tag(
        "section",
        tag("h2", f"Search: {search.search}"),
        *(
            plot(item, heading="h3", study=frames.name, light=light)
            for item in function_plots(frames, search)
        ),
        *(
            plot(item, heading="h3", study=frames.name, light=light)
            for item in importance_plot(search, explained)
        ),
        tag("h3", "Its trials"),
        _table(search),
    )


def _table(search: SearchTrials) -> Markup:
    shown = ranked(search)[:_MOST_ROWS]
    caption = (
        f"{_which(search)} by {search.metric} on validation, "
        f"{'lowest' if search.lower else 'highest'} first: the mean over seeds at their selected "
        "epochs. Device-seconds are those of all attempts."
    )
    values = [metric for metric, _ in search.objectives] if search.others else ["Value"]
    heads = [tag("th", name, scope="col") for name in ("Trial", *values, *_HEADS)]
    rows = [_row(row, len(values)) for row in shown]
    return boxed(caption, tag("tr", *heads), rows, class_="trials")


def _which(search: SearchTrials) -> str:
    """Which trials are in the table, and how those that are not have ended."""
    rest = ranked(search)[_MOST_ROWS:]
    if not rest:
        return "All trials"
    states = Counter(row.state for row in rest)
    ways = ", ".join(f"{count(n)} {state}" for state, n in sorted(states.items()))
    return (
        f"The best {_MOST_ROWS} of {count(len(search.trials))} trials (the others: {ways}; "
        "weighbridge export writes all of them)"
    )


def _row(row: TrialRow, n_values: int) -> Markup:
    values = ["–"] * n_values
    if row.value is not None:
        values = [number(value, 6) for value in (row.value, *row.others)]
    cells = (
        *values,
        row.state,
        number(row.device_s, 3),
        count(row.epochs),
        count(len(row.seeds)),
        said(json.loads(row.params)),
    )
    return tag("tr", tag("th", str(row.number), scope="row"), *(tag("td", cell) for cell in cells))


def said(params: Mapping[str, Any]) -> str:
    """A point in words."""
    return "; ".join(f"{name} {value_of(value)}" for name, value in params.items()) or "–"
