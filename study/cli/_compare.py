"""``weighbridge compare``: the comparison table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from study.cli._frames import opened
from study.cli._options import STORAGE, AsJson, StorageUrl, Study
from study.cli._output import console, duration, next_step, note, print_json, say, table
from study.cli._trials import show_trials

if TYPE_CHECKING:
    from reports import MethodRow, StudyFrames

NAME = "compare"


def command(study: Study, storage: StorageUrl = STORAGE, as_json: AsJson = False) -> None:
    """Compare the methods: quality, cost, winning parameters, fair-play notes."""
    from reports import compare, fair_play_notes, merged

    with opened(study, storage) as frames:
        if frames.of_function:
            show_trials(frames, storage=storage, as_json=as_json)
            return
        comparison = compare(frames)
        if as_json:
            print_json(comparison.to_plain())
            return
        say((comparison.sentence, "bold"))
        if comparison.break_even:
            say(comparison.break_even.sentence)
        _print_rows(frames, comparison.rows)
        for found in merged(fair_play_notes(frames)):
            about = f"{', '.join(found.about)}: " if found.about else ""
            note(f"{about}{found.text}")
        next_step("report", frames.name, "-o", "report.html", storage=storage)


def _print_rows(frames: StudyFrames, rows: tuple[MethodRow, ...]) -> None:
    metrics = [(metric.task, metric.name) for metric in frames.metrics]
    units = {(m.task, m.name): m for m in frames.metrics}
    titles = [f"{task} {name} {_arrow(units[task, name].direction)}" for task, name in metrics]
    costs = ("cost alone", "cost as run") if frames.packed else ("cost",)
    made = table(
        "method",
        "delta_m test",
        "±sd",
        *titles,
        "trials",
        "runs",
        *costs,
        "winner",
        right=("delta_m test", "±sd", *titles, "trials", "runs", *costs),
    )
    for row in rows:
        made.add_row(
            row.title,
            _percent(row.delta_m_test),
            _number(row.seed_sd, 1),
            *(_number(row.metrics.get(key, math.nan), 4) for key in metrics),
            str(row.n_trials),
            str(row.n_runs),
            duration(row.cost_solo_s),
            *([duration(row.cost_as_run_s)] if frames.packed else []),
            _params(row),
        )
    console.print(made)


def _arrow(direction: str) -> str:
    return "↓" if direction == "min" else "↑"


def _percent(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:+.2f} %"


def _number(value: float, digits: int) -> str:
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def _params(row: MethodRow) -> str:
    shown = {k: v for k, v in row.params.items() if not (k == "weight_decay" and v == 0)}
    return ", ".join(f"{name} {_value(value)}" for name, value in shown.items())


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        return "/".join(f"{part:g}" for part in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
