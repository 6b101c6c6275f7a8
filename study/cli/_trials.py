"""What ``weighbridge compare`` shows of a training function's study: its trials by its metric."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from storage.notices import notices
from study.cli._output import console, duration, next_step, print_json, say, say_notices, table

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
    say_notices(notices(frames.spec))
    next_step("export", frames.name, "-o", "optuna:sqlite:///trials.db", storage=storage)


def _print(search: SearchTrials) -> None:
    from reports.trials import ranked

    arrow = "↓" if search.lower else "↑"
    value = f"{search.metric} {arrow}"
    right = ("trial", value, "seeds", "epochs", "cost")
    made = table("trial", value, "state", "seeds", "epochs", "cost", "parameters", right=right)
    rows = ranked(search)
    for row in rows[:_MOST]:
        made.add_row(
            str(row.number),
            "–" if row.value is None else f"{row.value:.6g}",
            row.state,
            str(len(row.seeds)),
            str(max(row.curve, default=0)),
            duration(row.device_s),
            _said(json.loads(row.params)),
        )
    console.print(made)
    if len(rows) > _MOST:
        say((f"the best {_MOST} of {len(rows)}; --json has all", "dim"))


def _said(params: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in params.items()
    )


def _plain(frames: StudyFrames, found: tuple[SearchTrials, ...]) -> dict[str, Any]:
    return {
        "study": frames.name,
        "metric": found[0].metric if found else "",
        "direction": found[0].direction if found else "",
        "notices": notices(frames.spec),
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
        "epochs": max(row.curve, default=0),
        "device_s": row.device_s,
    }
