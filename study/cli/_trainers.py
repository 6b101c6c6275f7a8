"""``weighbridge trainers``: what may train in the place of weightings, and what is tuned of it."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from study.cli._options import AsJson
from study.cli._output import console, json_alone, next_step, print_json, say, table
from study.errors import BadSpec
from trainers.errors import TrainingError
from trainers.functions import trainer_names, trainer_of
from trainers.problems import ProblemError
from trainers.trainer_card import ObjectiveCard, ParameterCard, TrainerCard

NAME = "trainers"


def command(
    trainer: Annotated[
        str | None,
        typer.Argument(
            metavar="[TRAINER]",
            help="A name, or module:Class of your own, with all its parameters; default: list all.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List trainers: whole ways of training that take the place of weightings.

    Of one, what can be tuned, what its trials are ranked by, and what it reports.
    """
    with json_alone(as_json):
        found = [_plain(name) for name in ([trainer] if trainer else trainer_names())]
    if as_json:
        print_json("trainers", {"trainers": found})
    elif trainer:
        _show(found[0])
    else:
        _list(found)


def _card(name: str) -> TrainerCard:
    try:
        return trainer_of(name, os.getcwd()).card
    except (ProblemError, TrainingError) as error:
        raise BadSpec(str(error)) from error


def _list(found: list[dict[str, Any]]) -> None:
    if not found:
        say("No trainer is installed. One of your own is `module:Class`.")
        return
    rows = table("trainer", "title", "objectives", "parameters", "source", right=("parameters",))
    for one in found:
        names = ", ".join(objective["name"] for objective in one["objectives"])
        rows.add_row(
            one["trainer"], one["title"], names, str(len(one["parameters"])), one["source"]
        )
    console.print(rows)
    next_step("trainers", found[0]["trainer"])


def _show(one: dict[str, Any]) -> None:
    say((one["title"], "bold"), f"  {one['source']}")
    rows = table("objective", "metric", "better is", "may select")
    better = {metric["name"]: metric["direction"] for metric in one["metrics"]}
    for objective in one["objectives"]:
        side = "lower" if better[objective["metric"]] == "min" else "higher"
        may = "with `oracle = true` only" if objective["uses_truth"] else "yes"
        rows.add_row(objective["name"], objective["metric"], side, may)
    console.print(rows)
    if not one["parameters"]:
        return
    rows = table("parameter", "default", "may be", "what it is")
    for parameter in one["parameters"]:
        default = str(parameter["default"])
        rows.add_row(parameter["name"], default, parameter["allowed"], parameter["title"])
    console.print(rows)


def _plain(name: str) -> dict[str, Any]:
    card = _card(name)
    return {
        "trainer": name,
        "title": card.title,
        "source": card.source,
        "task": card.task_title,
        "metrics": [
            {
                "name": metric.name,
                "title": metric.title,
                "direction": metric.direction,
                "unit": metric.unit,
                "uses_truth": metric.uses_truth,
            }
            for metric in card.metrics
        ],
        "objectives": [_objective(one) for one in card.objectives],
        "parameters": [_parameter(one) for one in card.parameters],
    }


def _objective(one: ObjectiveCard) -> dict[str, Any]:
    return {
        "name": one.name,
        "title": one.title or one.name,
        "metric": one.metric,
        "uses_truth": one.uses_truth,
    }


def _parameter(one: ParameterCard) -> dict[str, Any]:
    return {
        "name": one.name,
        "title": one.title,
        "default": one.default,
        "choices": list(one.choices),
        "low": one.low,
        "high": one.high,
        "integer": one.integer,
        "allowed": one.allowed,
    }
