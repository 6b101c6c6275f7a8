"""How far the comparison holds: other readings of the same runs, and what tuning was worth."""

import math
from dataclasses import replace

from reports._ranking import number as said
from reports.comparing.comparison import Comparison
from reports.comparing.metric_shares import shares_of
from reports.comparing.robustness import Reading, Robustness, value_said
from reports.comparing.tuning import Tuning
from reports.comparing.wording import gaps_of, span
from reports.figures import method_colour
from reports.frames import StudyFrames
from reports.html._tags import Markup, boxed, method_head, tag
from reports.html._words import number, percent, value_of
from storage.objectives import Objective

_READINGS = (
    "Who is ahead if the same runs are read in other ways. Being ahead is no verdict: values of "
    "methods that cannot be told apart change places by chance. Without a seed, the others choose "
    "anew."
)
_TUNING = (
    "No tuning at all, and what the search of each method was worth, on test. Its defaults are the "
    "values of its first stage nearest to where parameters rest until they are tuned. "
    "Overtuning: how far the winner lies behind the best that the search had held before, and what "
    "part that is of what the search had gained."
)
_METRICS = (
    "What each metric adds to Δm, in points, and in brackets its share of all that is added, "
    "whatever the sign."
)


def how_far_it_holds(frames: StudyFrames, comparison: Comparison) -> Markup | None:
    """Sentences, with the tables behind them folded away; None while there is nothing to say."""
    if not comparison.caveats:
        return None
    titles = {
        row.search: method_head(row.title, method_colour(row.weighting)) for row in comparison.rows
    }
    parts = [
        _readings(comparison.robustness, comparison.objective) if comparison.robustness else None,
        _tuning(comparison.tuning, titles, comparison.objective) if comparison.tuning else None,
        _metrics(frames, comparison, titles),
    ]
    return tag(
        "section",
        tag("h2", "How far that holds"),
        *(tag("p", sentence) for sentence in comparison.caveats),
        tag("details", tag("summary", "Readings, defaults and shares of metrics"), *parts),
    )


def _heads(*names: str) -> Markup:
    return tag("tr", *(tag("th", name, scope="col") for name in names))


def _readings(found: Robustness, objective: Objective) -> Markup:
    def row(reading: Reading) -> Markup:
        values = (reading.value, reading.next_value)
        ahead, after = (value_said(reading, value, objective) for value in values)
        cells = (" or ".join(reading.ahead), ahead, " or ".join(reading.next) or "–", after)
        return tag("tr", tag("th", reading.name, scope="row"), *(tag("td", cell) for cell in cells))

    heads = _heads("Reading", "Ahead", "Its value", "Next", "Its value")
    return boxed(_READINGS, heads, [row(reading) for reading in found.readings])


def _tuning(found: tuple[Tuning, ...], titles: dict[str, Markup], objective: Objective) -> Markup:
    gaps = gaps_of(objective)

    def row(one: Tuning) -> Markup:
        params, value, seconds = _untuned(one, objective)
        cells = (value, *_gain(one, gaps), _lost(one, gaps), seconds, params)
        return tag("tr", titles[one.search], *(tag("td", cell) for cell in cells))

    heads = _heads(
        "Method",
        "Untuned",
        "Tuned minus untuned",
        "Verdict",
        "Overtuning",
        "Device-seconds untuned",
        "Its defaults",
    )
    side = "Below" if objective.sign > 0 else "Above"
    unit = f" Differences are in {gaps.unit}." if gaps.unit else ""
    family = f" {side} zero tuning helped; intervals hold for all methods at once, after Holm."
    return boxed(_TUNING + family + unit, heads, [row(one) for one in found])


def _untuned(one: Tuning, objective: Objective) -> tuple[str, str, str]:
    untuned = one.untuned
    if untuned is None:
        return "not tried", "–", "–"
    params = "; ".join(f"{name} {value_of(value)}" for name, value in untuned.params.items())
    value = "diverged" if math.isinf(untuned.value) else said(objective, untuned.value)
    reach = f" [{span(objective, untuned.interval)}]" if untuned.interval else ""
    return params, f"{value}{reach}", number(untuned.cost_solo_s, 3)


def _gain(one: Tuning, gaps: Objective) -> tuple[str, str]:
    if one.gain is None:
        return "–", "ended with them" if one.kept else "–"
    value = (
        "diverged" if math.isinf(one.gain.value) else said(replace(gaps, unit=""), one.gain.value)
    )
    reach = f" [{span(gaps, one.gain.interval)}]" if one.gain.interval else ""
    return f"{value}{reach}", one.gain.verdict


def _lost(one: Tuning, gaps: Objective) -> str:
    if one.overtuning is None:
        return "–"
    share = "" if math.isnan(one.overtuning.ratio) else f" ({100 * one.overtuning.ratio:.0f} %)"
    return f"{said(replace(gaps, unit=''), one.overtuning.value, plus=False)}{share}"


def _metrics(
    frames: StudyFrames, comparison: Comparison, titles: dict[str, Markup]
) -> Markup | None:
    rows = [row for row in comparison.rows if row.metric_points]
    if not rows:
        return None
    keys = {(metric.task, metric.name): metric for metric in frames.metrics}
    body = []
    for row in rows:
        shares = shares_of(row.metric_points)
        cells = [
            tag("td", f"{percent(row.metric_points[key])} ({100 * shares.get(key, 0.0):.0f} %)")
            for key in keys
        ]
        body.append(tag("tr", titles[row.search], *cells))
    heads = [f"{metric.title.capitalize()} of {metric.task}" for metric in keys.values()]
    return boxed(_METRICS, _heads("Method", *heads), body)
