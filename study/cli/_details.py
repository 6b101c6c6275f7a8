"""The tables of ``compare --details``: shares of metrics, other readings, worth of tuning."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from study.cli._cells import ends, params_said, written
from study.cli._output import duration, say
from study.cli._wide import Column, show

if TYPE_CHECKING:
    from reports import Comparison, MethodRow, StudyFrames
    from reports.comparing.robustness import Robustness
    from reports.comparing.tuning import Tuning
    from reports.spending.overtuning import Overtuning
    from storage.objectives import Objective


def show_details(frames: StudyFrames, comparison: Comparison) -> None:
    """Print what there is of them; a sentence if there is nothing."""
    if frames.sealed:
        say("No details: they are made of test values, and the study is sealed.")
        return
    rows = [row for row in comparison.rows if row.metric_points]
    if not rows and not comparison.robustness and not comparison.tuning:
        say("No details: no method has a value yet that no outstanding run can change.")
        return
    if rows:
        _show_metrics(frames, rows)
    if comparison.robustness:
        _show_readings(comparison.robustness, comparison.objective)
    if comparison.tuning:
        _show_tuning(frames, comparison.tuning, comparison.objective)


def _show_metrics(frames: StudyFrames, rows: list[MethodRow]) -> None:
    from reports.comparing.metric_shares import shares_of

    say(("What each metric adds to Δm, in points, and its share of all that is added", "bold"))
    shares = [shares_of(row.metric_points) for row in rows]
    show(
        Column(head="method", cells=[row.title for row in rows], text=True),
        [
            Column(
                head=f"{metric.task}\n{metric.name}",
                cells=[
                    f"{row.metric_points[key]:+.2f} ({100 * share.get(key, 0.0):.0f} %)"
                    for row, share in zip(rows, shares, strict=True)
                ],
            )
            for metric in frames.metrics
            for key in [(metric.task, metric.name)]
        ],
    )


def _show_readings(found: Robustness, objective: Objective) -> None:
    from reports.comparing.robustness import value_said

    say((f"Who is ahead if the same runs are read in other ways: {found.winner}?", "bold"))
    readings = found.readings
    plain = [
        [value_said(reading, value, objective).replace("\N{MINUS SIGN}", "-") for value in pair]
        for reading in readings
        for pair in [(reading.value, reading.next_value)]
    ]
    show(
        Column(head="reading", cells=[reading.name for reading in readings], text=True),
        [
            Column(head="ahead", cells=[" or ".join(one.ahead) for one in readings], text=True),
            Column(head="value", cells=[value for value, _ in plain]),
            Column(head="next", cells=[" or ".join(one.next) for one in readings], text=True),
            Column(head="its value", cells=[value for _, value in plain]),
        ],
    )


def _show_tuning(frames: StudyFrames, found: tuple[Tuning, ...], objective: Objective) -> None:
    from reports.comparing.wording import gaps_of

    gaps = gaps_of(objective)
    side = "negative" if objective.sign > 0 else "positive"
    say(
        (
            "No tuning at all, and what the search was worth on test, on the search's seeds "
            f"({side}: tuning helped; intervals for all methods at once, after Holm)",
            "bold",
        )
    )
    untuned = [one.untuned for one in found]
    gains = [one.gain for one in found]
    lost = [one.overtuning for one in found]
    show(
        Column(head="method", cells=[one.title for one in found], text=True),
        [
            Column(
                head="its defaults",
                cells=[
                    params_said(frames, one.search, one.untuned.params) if one.untuned else "–"
                    for one in found
                ],
                text=True,
            ),
            Column(
                head="untuned",
                cells=[
                    written(one.value if one else math.nan, objective.shown, objective.unit)
                    for one in untuned
                ],
            ),
            Column(
                head="95 % interval",
                cells=[ends(one.interval if one else None, objective) for one in untuned],
            ),
            Column(
                head="cost", cells=[duration(one.cost_solo_s) if one else "–" for one in untuned]
            ),
            Column(
                head="tuned\nminus it",
                cells=[written(one.value if one else math.nan, gaps.shown) for one in gains],
            ),
            Column(
                head="95 % interval",
                cells=[ends(one.interval if one else None, gaps) for one in gains],
            ),
            Column(head="verdict", cells=[_verdict(one) for one in found], text=True),
            Column(head="overtuning\n(of its gain)", cells=[_lost(one, gaps) for one in lost]),
        ],
    )


def _lost(one: Overtuning | None, gaps: Objective) -> str:
    """Points lost, and the part that they are of what had been gained."""
    if one is None:
        return "–"
    share = "" if math.isnan(one.ratio) else f" ({100 * one.ratio:.0f} %)"
    return f"{written(one.value, gaps.shown.lstrip('+'))}{share}"


def _verdict(one: Tuning) -> str:
    if one.kept:
        return "ended with them"
    return one.gain.verdict if one.gain else "–"
