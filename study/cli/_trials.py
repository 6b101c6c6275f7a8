"""What ``weighbridge compare`` shows of a training function's study: its trials by its metric."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from storage.notices import notices
from study.cli._output import duration, next_step, print_json, say, say_notices
from study.cli._wide import Column, show

if TYPE_CHECKING:
    from reports import StudyFrames
    from reports.trials import SearchTrials, TrialRow

_MOST = 20


def show_trials(frames: StudyFrames, *, storage: str, as_json: bool) -> None:
    """The best trials of each search, with their cost; as JSON, all of them."""
    from reports.trials import best_sentence, trials

    found = trials(frames)
    if as_json:
        print_json(_plain(frames, found))
        return
    say((best_sentence(found), "bold"))
    for search in found:
        _print(search)
    say_notices(notices(frames.spec, sealed=frames.sealed))
    next_step("export", frames.name, "-o", "optuna:sqlite:///trials.db", storage=storage)


def _print(search: SearchTrials) -> None:
    from reports.trials import ranked

    arrow = "↓" if search.lower else "↑"
    value = f"{search.metric} {arrow}"
    rows = ranked(search)
    shown = rows[:_MOST]
    values = ["–" if row.value is None else f"{row.value:.6g}" for row in shown]
    show(
        Column(head="trial", cells=[str(row.number) for row in shown]),
        [
            Column(head=value, cells=values),
            Column(head="state", cells=[row.state for row in shown], text=True),
            Column(head="seeds", cells=[str(len(row.seeds)) for row in shown]),
            Column(head="epochs", cells=[str(row.epochs) for row in shown]),
            Column(head="cost", cells=[duration(row.device_s) for row in shown]),
            Column(
                head="parameters", cells=[_said(json.loads(row.params)) for row in shown], text=True
            ),
        ],
    )
    if len(rows) > _MOST:
        say((f"the best {_MOST} of {len(rows)}; --json has all", "dim"))


def _said(params: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in params.items())


def _value(value: object) -> str:
    if isinstance(value, list | dict):
        return json.dumps(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _plain(frames: StudyFrames, found: tuple[SearchTrials, ...]) -> dict[str, Any]:
    return {
        "study": frames.name,
        "metric": found[0].metric if found else "",
        "direction": found[0].direction if found else "",
        "notices": notices(frames.spec, sealed=frames.sealed),
        "rows": [_row(search, row) for search in found for row in search.trials],
    }


def _row(search: SearchTrials, row: TrialRow) -> dict[str, Any]:
    return {
        "search": search.search,
        "trial": row.number,
        "params": json.loads(row.params),
        "state": row.state,
        "value": row.value,
        "seeds": row.seeds,
        "epochs": row.epochs,
        "device_s": row.device_s,
    }
