"""``weighbridge plan``: what will run, and which runs are trained together."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from storage.records import Calibration
from study.catalogue import preset_hidden
from study.cli._ahead import Question, look_ahead, show_ahead
from study.cli._options import STORAGE, AsJson, StorageUrl, Study, again
from study.cli._output import (
    console,
    counted,
    json_alone,
    next_step,
    note,
    print_json,
    say,
    say_notices,
    table,
)
from study.cli._placing import (
    Checkpoints,
    Device,
    Driver,
    DriverName,
    GpusPerWorker,
    Workers,
    device_of,
    n_workers,
    ray_options,
)
from study.cli._several import opened_each, show_each
from study.planning.engine import BY_CALIBRATION, EngineChoice
from study.planning.last_batch import likely
from study.planning.packs import PackGroup, PackPlan
from study.planning.plan import Plan
from study.planning.search_plan import Search, Stage

NAME = "plan"
_KNOWN_BY = {
    "stored": "fixed by the study's first run",
    "look": "by a look at the network",
    "spec": "by the spec",
    "card": "by the problem's card; workers look at the network first, and so does --probe",
}


def command(
    context: typer.Context,
    study: Study,
    workers: Workers = None,
    device: Device = None,
    driver: Driver = DriverName.LOCAL,
    gpus_per_worker: GpusPerWorker = None,
    checkpoints: Checkpoints = None,
    probe: Annotated[
        bool,
        typer.Option(
            "--probe",
            help="Look at the network itself, and put one batch of every split through every loss "
            "and metric; imports torch and loads the data.",
        ),
    ] = False,
    like: Annotated[
        str | None,
        typer.Option(
            metavar="STUDY",
            help="Study of the same problem in the same database: forecast by its packs, beside "
            "the study's own (default: by all of the same shape), and resolve by its seeds.",
        ),
    ] = None,
    resolve: Annotated[
        float | None,
        typer.Option(
            metavar="DIFFERENCE",
            help="Tell the seeds and trials that resolve a difference between two methods, in the "
            "objective's unit (of Δm, points), by the seeds of this study or of --like.",
        ),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(
            metavar="BUDGET",
            help="Propose what fits in so much from now on: 8h, 90min, 600s of device time, "
            "200epochs, 5money. Changes nothing.",
        ),
    ] = None,
    storage: StorageUrl = STORAGE,
    as_json: AsJson = False,
) -> None:
    """Show what will run, and what it will cost: trials, runs, packs, device time, money, end.

    Nothing is started. What `run` would refuse of the same options, this refuses, too.
    """
    ray = ray_options(driver, None, None, gpus_per_worker)
    where = device_of(device, ray)
    with json_alone(as_json):
        opened, *others = several = opened_each(study, storage=storage)
        if others:
            more = as_json, probe, like, resolve, budget
            show_each(study, several, alone=not any(more))
            return
    n_at_work = workers or n_workers(where, ray, opened.plan.training.data_parallel)
    opened.check(workers=n_at_work, device=where, ray=ray, checkpoints=checkpoints)
    plan, packs = opened.plan, opened.packs(device=where, look=probe)
    question = Question(
        like=like, resolve=resolve, budget=budget, storage=storage, device=where, workers=n_at_work
    )
    ahead = look_ahead(opened, packs, question)
    if as_json:
        print_json(
            "plan",
            {
                **to_plain(plan),
                "packs": packs_to_plain(packs),
                "findings": list(packs.findings),
                "code_note": opened.code_note(),
                **ahead.to_plain(),
            },
        )
        raise typer.Exit(1 if packs.findings else 0)
    _show_searches(plan)
    _show_packs(packs)
    show_ahead(ahead, opened)
    for finding in packs.findings:
        say(("fails", "bold red"), f" {finding}")
    if probe and not packs.findings:
        say("probe: one batch of every split went through every loss and metric")
    elif not probe and (doubt := likely(plan.card, plan.training)):
        note(doubt)
    if changed := opened.code_note():
        note(changed)
    if hidden := preset_hidden(study, plan.spec):
        note(hidden)
    say_notices(plan.notices)
    if packs.findings:
        raise typer.Exit(1)
    _, *given = again(context, without=["probe", "like", "resolve", "budget", "as_json"])
    next_step("run", *given, storage=storage)


def _show_searches(plan: Plan) -> None:
    card = plan.card
    say((plan.spec.name, "bold"), f": {card.title}", (f" ({card.kind})", "dim"))
    if plan.trainer is not None:
        ranked_by = plan.searches[0].objective
        side = "lower" if ranked_by.sign > 0 else "higher"
        say(f"trainer: {plan.trainer.title}; ranked by {ranked_by.title}, {side} is better")
        say(f"network: {card.network}")
    else:
        tasks = ", ".join(f"{task.name} ({task.loss})" for task in card.tasks)
        say(f"tasks: {tasks}; network: {card.network}")
    rows = table("search", "stages", "trials", "runs", "epochs", right=("trials", "runs", "epochs"))
    n_seeds, training = len(plan.spec.seeds), plan.training
    for search in plan.searches:
        trials = search.expected_trials
        runs = trials * n_seeds
        stages = " → ".join(_stage(stage) for stage in search.stages)
        epochs = search.expected_epochs(training) * n_seeds
        rows.add_row(search.name, stages, str(trials), str(runs), str(epochs))
    console.print(rows)
    n_fresh = len(plan.confirm_seeds)
    confirmed = f", {counted(n_fresh, 'fresh seed')} a winner" if n_fresh else ""
    say(
        "At most ",
        (str(plan.expected_runs), "bold"),
        f" runs ({counted(n_seeds, 'seed')}{confirmed}) of {counted(training.epochs, 'epoch')}; "
        "fewer where stages share points or a winner lies on an edge.",
    )


def to_plain(plan: Plan) -> dict[str, Any]:
    """The plan as JSON-ready values."""
    return {
        "study": plan.spec.name,
        "problem": plan.card.to_plain(),
        "fingerprint": plan.frozen,
        "notices": plan.notices,
        "seeds": plan.spec.seeds,
        "epochs": plan.training.epochs,
        "expected_runs": plan.expected_runs,
        "expected_epochs": plan.expected_epochs,
        "searches": [_search(search, len(plan.spec.seeds)) for search in plan.searches],
    }


def _search(search: Search, n_seeds: int) -> dict[str, Any]:
    return {
        "name": search.name,
        "role": search.role,
        "weighting": search.weighting,
        "objective": search.objective.name,
        "others": [objective.name for objective in search.others],
        "expected_trials": search.expected_trials,
        "expected_runs": search.expected_trials * n_seeds,
        "stages": [
            {
                "tuned": stage.tuned,
                "expected_trials": stage.expected_trials,
                "sampler": None,
                "options": {},
                "first": [],
                **stage.to_plain(),
            }
            for stage in search.stages
        ],
    }


def _stage(stage: Stage) -> str:
    """``lr grid 4``, ``temperature line 7 + 2`` or ``lr grid 8, halving at 5, 10``."""
    what = ", ".join(stage.tuned)
    if stage.kind == "neighbours":
        return "lr neighbours ≤2"
    refined = f" + {2 * stage.refine}" if stage.refine else ""
    stopped = "" if stage.stop is None else f", {stage.stop}"
    strategy, n_trials = stage.sampler or stage.kind, stage.first_trials - 2 * stage.refine
    n_born = stage.expected_trials - stage.first_trials
    born = f" + {n_born} born" if n_born else ""
    return f"{what} {strategy} {n_trials}{refined}{born}{stopped}"


def _show_packs(packs: PackPlan) -> None:
    """The engine with its reason, those that searches have for themselves, and all packs."""
    known_by = f" ({_KNOWN_BY[packs.known_by]})"
    (engine, _), *others = packs.engines.items()
    name = "fused or solo" if engine is BY_CALIBRATION else engine.engine
    say("engine: ", (name, "bold"), f": {engine.reason}", (known_by, "dim"))
    for other, searches in others:
        say("engine: ", (other.engine, "bold"), f" for {', '.join(searches)}: {other.reason}")
    rows = table("network of", "runs a seed", "trained", right=("runs a seed",))
    for group in packs.groups:
        tasks = ", ".join(group.tasks)
        whose = f" ({', '.join(group.searches)})" if others else ""
        rows.add_row(tasks + whose, str(group.runs), _trained(group))
    console.print(rows)


def packs_to_plain(packs: PackPlan) -> dict[str, Any]:
    """The same as JSON-ready values; no engine where a calibration is to choose it.

    At the top stands the engine of the network of all tasks, of searches that may be stacked if
    there are such.
    """
    return {
        **_engine(packs.groups[0].engine),
        "known_by": packs.known_by,
        "networks": [
            {
                **_engine(group.engine),
                "tasks": group.tasks,
                "searches": group.searches,
                "runs_per_seed": group.runs,
                "pack_size": group.pack_size,
                "calibrations": [
                    {
                        "hardware": found.hardware,
                        "pack_size": found.pack_size,
                        "epoch_s": found.epoch_s,
                        "run_step_ms": {str(size): ms for size, ms in found.run_step_ms.items()},
                    }
                    for found in group.calibrations
                ],
            }
            for group in packs.groups
        ],
    }


def _engine(choice: EngineChoice) -> dict[str, str | None]:
    name = None if choice is BY_CALIBRATION else choice.engine
    return {"engine": name, "reason": choice.reason}


def _trained(group: PackGroup) -> str:
    if group.pack_size == 1:
        return "one by one"
    if group.pack_size is None:
        return "in packs, sized by calibration at the start"
    several = len(group.timed) > 1
    told = (
        f"with {optimizer}, {_times(found)}" if several else _times(found)
        for optimizer, calibrations in group.timed.items()
        for found in calibrations
        if len(found.run_step_ms) > 1
    )
    return "; ".join([f"in packs of at most {group.pack_size}", *told])


def _times(found: Calibration) -> str:
    """What a training step takes a run, by the size of the pack."""
    told = ", ".join(
        f"{ms:.2f} in {size}" if size > 1 else f"{ms:.2f} alone"
        for size, ms in sorted(found.run_step_ms.items())
    )
    return f"ms a step and run: {told} ({found.hardware})"
