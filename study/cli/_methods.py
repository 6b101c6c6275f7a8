"""``weighbridge methods``: the loss weightings, what a step of each costs and what they need."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from study.cli._options import AsJson
from study.cli._output import console, json_alone, next_step, print_json, say, table
from study.errors import BadSpec
from trainers.weightings import Hyper, Weighting, WeightingError, names, weighting

NAME = "methods"


def command(
    method: Annotated[
        str | None,
        typer.Argument(
            metavar="[METHOD]", help="One, with all that can be tuned of it; default: list them."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List loss weightings: paper, what a step costs, which packages they need.

    Beside `presets`, which lists studies to begin with: there are too many to stand below them.
    """
    with json_alone(as_json):
        found = [_plain(one) for one in ([_named(method)] if method else map(weighting, names()))]
    if as_json:
        print_json("methods", {"methods": found})
    elif method:
        _show(found[0])
    else:
        _list(found)


def _named(name: str) -> Weighting:
    try:
        return weighting(name, str(Path.cwd()))
    except WeightingError as error:
        raise BadSpec(str(error)) from error


def _list(found: list[dict[str, Any]]) -> None:
    rows = table("method", "title", "a step takes", "needs", "paper")
    for one in found:
        needs = [f"{name} (missing)" if name in one["missing"] else name for name in one["needs"]]
        rows.add_row(one["method"], one["title"], one["cost"], ", ".join(needs), one["paper"])
    console.print(rows)
    if any(one["missing"] for one in found):
        say("What is missing comes with: pip install 'weighbridge[gradients]'")
    next_step("methods", "uw-so")


def _show(one: dict[str, Any]) -> None:
    say((one["title"], "bold"), f"  {one['paper']}")
    say(f"formula: {one['formula'] or 'not told'}")
    say(f"a step takes: {one['cost']}" + (", trained one by one" if one["alone"] else ""))
    say(f"needs: {', '.join(one['needs']) or 'nothing more'}")
    if one["missing"]:
        say(f"missing: {', '.join(one['missing'])}; pip install 'weighbridge[gradients]'")
    say(f"also in: {', '.join(one['also_in']) or 'no other library that we know'}")
    if not one["hyperparameters"]:
        return
    rows = table("hyperparameter", "default", "must be", "what it does")
    for hyper in one["hyperparameters"]:
        default = "none" if hyper["default"] is None else f"{hyper['default']:g}"
        rule = f"{hyper['rule']}, one a task" if hyper["per_task"] else hyper["rule"]
        rows.add_row(hyper["name"], default, rule, hyper["meaning"])
    console.print(rows)


def _plain(method: Weighting) -> dict[str, Any]:
    return {
        "method": method.name,
        "title": method.title,
        "level": method.level,
        "formula": method.formula,
        "paper": method.paper,
        "cost": method.cost,
        "alone": bool(method.solo_only),
        "needs": list(method.needs),
        "missing": method.missing(),
        "also_in": list(method.also_in),
        "hyperparameters": [_hyper(rule) for rule in method.hypers],
    }


def _hyper(rule: Hyper) -> dict[str, Any]:
    return {
        "name": rule.name,
        "default": rule.default,
        "per_task": rule.per_task,
        "rule": rule.rule,
        "meaning": rule.doc,
    }
