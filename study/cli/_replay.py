"""``weighbridge replay``: other strategies on what a search has recorded."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from study.cli._frames import opened
from study.cli._options import STORAGE, AsJson, StorageUrl, Study
from study.cli._output import counted, duration, next_act, next_step, note, print_json, say
from study.cli._wide import Column, show
from study.errors import NotReplayed

if TYPE_CHECKING:
    from reports.measures import FloatArray, IntArray
    from reports.replaying import Replays, StrategyReplay

NAME = "replay"


def command(
    study: Study,
    strategy: Annotated[
        list[str] | None,
        typer.Option(
            "--strategy",
            metavar="NAME",
            help="What is played: random, tpe, halving, hyperband, asha, line, staged or racing; "
            "several with commas between, or repeated; default: all that can be.",
        ),
    ] = None,
    search: Annotated[
        str | None,
        typer.Option(
            "--search",
            metavar="NAME",
            help="On what was recorded by which search; default: the one with the largest stage.",
        ),
    ] = None,
    stage: Annotated[
        int | None,
        typer.Option(
            "--stage", min=1, help="Which of its stages, from 1; default: that of most trials."
        ),
    ] = None,
    orders: Annotated[
        int, typer.Option("--orders", min=1, help="How many orders of the trials are played.")
    ] = 1000,
    at: Annotated[
        list[str] | None,
        typer.Option(
            metavar="BUDGET",
            help="What is found with so much: 600s, 8h, 200epochs, 30runs, 2Tflops, 1kWh, 5money. "
            "Several of one unit; default: parts of the cost.",
        ),
    ] = None,
    axis: Annotated[
        str | None,
        typer.Option(
            "--axis",
            metavar="UNIT",
            help="What cost is counted in: solo_s (device-seconds, each run alone), as_run_s, "
            "epochs, samples, flops, runs, energy_j or money; default: that of --at, else solo_s.",
        ),
    ] = None,
    eta: Annotated[
        int,
        typer.Option(
            "--eta", min=2, help="halving, hyperband and asha keep one trial in so many at a rung."
        ),
    ] = 3,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of all that is random.")] = 0,
    storage: StorageUrl = STORAGE,
    as_json: AsJson = False,
) -> None:
    """Play other strategies on what a search has recorded; nothing is trained.

    What would halving, TPE or a random order have found on the same trials, and for how much?
    """
    from reports.replaying import STRATEGIES, replay
    from reports.spending import parse_budgets

    asked = [name.strip() for text in strategy or [] for name in text.split(",") if name.strip()]
    with opened(study, storage) as frames:
        found = replay(
            frames,
            search,
            stage=None if stage is None else stage - 1,
            strategy=asked or STRATEGIES,
            orders=orders,
            axis=axis,  # type: ignore[arg-type]  # checked there
            at=parse_budgets(at or [], as_run=axis == "as_run_s"),
            eta=eta,
            seed=seed,
            sampler=_sampler,
        )
    if not found.rows:
        raise NotReplayed(_refusals(found))
    if as_json:
        print_json("replay", {"study": frames.name, **found.to_plain()})
        return
    _print(found)
    if advice := _advice(found, eta):
        next_act(advice)
    else:
        next_step("compare", frames.name, storage=storage)


def _sampler(
    coordinates: FloatArray,
    n_categories: IntArray,
    keys: FloatArray,
    order: IntArray,
    *,
    n: int,
    seed: int,
) -> IntArray:
    """The points of a table in the order in which TPE tries them; Optuna loads with it."""
    from study.searches.tpe_on_table import sequence

    return sequence(coordinates, n_categories, keys, order, n=n, seed=seed)


def _refusals(found: Replays) -> str:
    said = "; ".join(f"{name}: {why}" for name, why in found.refused.items())
    return (
        f"A strategy must be one that can be replayed on stage {found.table.stage + 1} of "
        f"{found.table.search}. {said}. Ask for others, or for none to see which can."
    )


def _print(found: Replays) -> None:
    table = found.table
    say((found.sentence, "bold"))
    say(
        f"Played on {table.search}, stage {table.stage + 1}: {counted(table.n_trials, 'trial')} of "
        f"{', '.join(table.tuned)} on {counted(table.n_seeds, 'seed')} for "
        f"{counted(table.n_epochs, 'epoch')}, recorded by {table.kind}; {found.scoring}."
    )
    _print_rows(found)
    for name, why in found.refused.items():
        note(f"{name} cannot be replayed here: {why}.")
    for sentence in found.caveats:
        note(sentence)


def _print_rows(found: Replays) -> None:
    table, rows = found.table, found.rows
    key = Column(
        head="strategy", cells=["(whole table)", *(row.strategy for row in rows)], text=True
    )
    shown = table.objective.shown

    def value(number: float) -> str:
        return "–" if math.isnan(number) else f"{number:{shown}}"

    whole = value(found.whole_value)
    spreads = [f"{value(row.at_end.low)} to {value(row.at_end.high)}" for row in rows]
    columns = [
        Column(
            head=f"{table.judged_on} {_head(found)}\nin the end",
            cells=[whole, *(value(row.at_end.mean) for row in rows)],
        ),
        Column(head="8 of 10\norders", cells=[whole, *spreads]),
        Column(head="finds the\nwinner", cells=["100 %", *(_share(r.finds_winner) for r in rows)]),
        Column(head="share of\nthe cost", cells=["100 %", *(_share(row.share) for row in rows)]),
        Column(
            head="epochs",
            cells=[f"{cost:,.0f}" for cost in _costs(found, "epochs")],
        ),
        Column(
            head="device time,\neach run alone",
            cells=[duration(cost) for cost in _costs(found, "solo_s")],
        ),
    ]
    if table.margin is not None:
        near = Column(
            head=f"within {table.margin:g}\nof it from",
            cells=["100 %", *(_from(row) for row in rows)],
        )
        columns.insert(3, near)
    columns += [
        Column(
            head=f"with\n{said}",
            cells=["–", *(value(row.at_budgets[share].mean) for row in rows)],
        )
        for said, share in found.shown.items()
    ]
    show(key, columns)


def _head(found: Replays) -> str:
    objective = found.table.objective
    arrow = "↓" if objective.direction == "min" else "↑"
    return " ".join(filter(None, (objective.title, objective.unit, arrow)))


def _costs(found: Replays, axis: str) -> list[float]:
    return [found.whole_cost[axis], *(row.cost[axis] for row in found.rows)]


def _share(share: float) -> str:
    return f"{100 * share:.0f} %"


def _from(row: StrategyReplay) -> str:
    return "never" if math.isinf(row.near_from) else _share(row.near_from)


def _advice(found: Replays, eta: int) -> str:
    """How the cheapest strategy is written in a spec; empty if there is none, or no way to."""
    best = found.cheapest
    written = ""
    if best is not None and best.strategy in ("halving", "asha"):
        written = _stop(found, best, eta)
    elif best is not None and best.strategy in ("random", "tpe"):
        trials = math.ceil(best.near_from * found.table.n_trials)
        written = f'strategy = "{best.strategy}", trials = {trials}'
    return f"in a stage of your next study: {written}" if written else ""


def _stop(found: Replays, best: StrategyReplay, eta: int) -> str:
    from reports.replaying import rungs

    asynchronous = ", asynchronous = true" if best.strategy == "asha" else ""
    listed = ", ".join(map(str, rungs(found.table.n_epochs, eta)))
    keep = _kept_share(eta)
    return f'stop = {{ rule = "halving", rungs = [{listed}], keep = {keep}{asynchronous} }}'


def _kept_share(eta: int) -> str:
    """1/eta, cut off: a little more would keep two of eta trials."""
    scale = 10 ** (4 + len(str(eta)))
    return f"{scale // eta / scale:g}"
