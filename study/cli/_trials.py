"""``weighbridge trials``: the trials of a study, best first; `compare` of a function shows them.

What winners did on fresh seeds is in `compare`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Final, get_args

import typer

from search_spaces.lineage import origin_said
from storage.notices import notices
from study.cli._cells import params_told
from study.cli._frames import opened
from study.cli._front import show_front
from study.cli._options import STORAGE, AsJson, StorageUrl, Study
from study.cli._output import counted, duration, next_step, print_json, say, say_notices
from study.cli._wide import Column, show
from study.errors import BadArgument
from trainers.suggestions import did_you_mean

if TYPE_CHECKING:
    from reports import StudyFrames
    from reports.trials import SearchTrials, TrialRow

NAME = "trials"
_MOST: Final = 20


def command(
    study: Study,
    search: Annotated[
        list[str] | None,
        typer.Option("--search", metavar="NAME", help="Only of this search; repeatable."),
    ] = None,
    state: Annotated[
        str | None,
        typer.Option(
            "--state",
            metavar="NAME",
            help="Only those that are done, running, waiting, pruned, diverged or failed.",
        ),
    ] = None,
    most: Annotated[
        int | None,
        typer.Option(
            "-n", min=1, help=f"The best so many of each search; default: {_MOST}, by --json all."
        ),
    ] = None,
    storage: StorageUrl = STORAGE,
    as_json: AsJson = False,
) -> None:
    """List the trials of each search, best first: value on validation, state, cost, parameters."""
    from reports.trials import ranked, trials

    with opened(study, storage) as frames:
        found = _chosen(trials(frames), search or [], state)
        if as_json:
            cut = [(one, ranked(one)[:most]) for one in found]
            print_json("trials", {**_about(frames), "searches": [_plain(*one) for one in cut]})
            return
        for one in found:
            what = f"{state} trial" if state else "trial"
            say((one.search, "bold"), f": {counted(len(one.trials), what)}")
            _print(frames, one, most=most or _MOST)
        say_notices(notices(frames.spec, sealed=frames.sealed))
        next_step("compare", frames.name, storage=storage)


def _chosen(
    found: Sequence[SearchTrials], searches: Sequence[str], state: str | None
) -> list[SearchTrials]:
    """Those that were asked for.

    Raises:
        BadArgument: There is no such search or state.
    """
    from reports.trials import TrialState

    known = [one.search for one in found]
    for name in searches:
        if name not in known:
            raise BadArgument(
                f"--search names one of the study. Got {name}.{did_you_mean(name, known)} "
                f"There are: {', '.join(known)}."
            )
    states = get_args(TrialState)
    if state is not None and state not in states:
        raise BadArgument(
            f"--state takes one of {', '.join(states)}. Got {state}.{did_you_mean(state, states)}"
        )
    return [
        replace(one, trials=tuple(row for row in one.trials if state in (None, row.state)))
        for one in found
        if not searches or one.search in searches
    ]


def show_trials(frames: StudyFrames, *, storage: str, as_json: bool) -> None:
    """The best trials of each search of a function's study; as JSON, all of them."""
    from reports.spending.front import front_of
    from reports.trials import best_sentence, trials

    found = trials(frames)
    sentence = best_sentence(found)
    if as_json:
        front = front_of(frames)
        rows = [_row(search, row) for search in found for row in search.trials]
        metric, direction = (found[0].metric, found[0].direction) if found else ("", "")
        print_json(
            "compare.trials",
            {
                "sentence": sentence,
                **_about(frames),
                "metric": metric,
                "direction": direction,
                "others": _others(found[0]) if found else [],
                "rows": rows,
                "front": front and front.to_plain(),
            },
        )
        return
    say((sentence, "bold"))
    for search in found:
        _print(frames, search, most=_MOST)
    show_front(frames)
    say_notices(notices(frames.spec, sealed=frames.sealed))
    next_step("export", frames.name, "-o", "optuna:sqlite:///trials.db", storage=storage)


def _print(frames: StudyFrames, search: SearchTrials, *, most: int) -> None:
    from reports.trials import ranked

    rows = ranked(search)
    shown = rows[:most]
    if not shown:
        return
    by_trial = [() if row.value is None else (row.value, *row.others) for row in shown]
    values = [
        Column(
            head=f"{metric} {'↓' if direction == 'min' else '↑'}",
            cells=[f"{of[at]:.6g}" if of else "–" for of in by_trial],
        )
        for at, (metric, direction) in enumerate(search.objectives)
    ]
    rounds = Column(head="rounds", cells=[str(row.rounds) for row in shown])
    points = [_said(params_told(frames, search.search, json.loads(row.params))) for row in shown]
    show(
        Column(head="trial", cells=[str(row.number) for row in shown]),
        [
            *values,
            Column(head="state", cells=[row.state for row in shown], text=True),
            Column(head="seeds", cells=[str(len(row.seeds)) for row in shown]),
            Column(head="epochs", cells=[str(row.epochs) for row in shown]),
            *([rounds] if any(row.rounds > 1 for row in shown) else []),
            Column(head="paid", cells=[duration(row.device_s) for row in shown]),
            Column(head="parameters", cells=points, text=True),
        ],
    )
    if len(rows) > most:
        say((f"the best {most} of {len(rows)}; -n shows more, --json has all", "dim"))


def _said(params: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in params.items())


def _value(value: object) -> str:
    if isinstance(value, list | dict):
        return origin_said(value) or json.dumps(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _about(frames: StudyFrames) -> dict[str, Any]:
    return {"study": frames.name, "notices": notices(frames.spec, sealed=frames.sealed)}


def _plain(search: SearchTrials, rows: Sequence[TrialRow]) -> dict[str, Any]:
    return {
        "search": search.search,
        "weighting": search.weighting,
        "metric": search.metric,
        "direction": search.direction,
        "others": _others(search),
        "n_trials": len(search.trials),
        "trials": [_row(search, row) for row in rows],
    }


def _others(search: SearchTrials) -> list[dict[str, str]]:
    return [{"metric": metric, "direction": direction} for metric, direction in search.others]


def _row(search: SearchTrials, row: TrialRow) -> dict[str, Any]:
    return {
        "search": search.search,
        "trial": row.number,
        "params": json.loads(row.params),
        "state": row.state,
        "value": row.value,
        "others": [value if math.isfinite(value) else None for value in row.others],
        "delta_m_test": row.delta_m_test,
        "seeds": row.seeds,
        "epochs": row.epochs,
        "rounds": row.rounds,
        "device_s": row.device_s,
        "cost_solo_s": row.cost_s,
    }
