"""``weighbridge problem check``: whether a problem keeps to what engines rely on."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, cast

import typer

from study.cli._options import AsJson
from study.cli._output import console, print_json, say, styled, table
from study.errors import BadSpec
from study.running.preflight import check_problem
from trainers.events import Promise
from trainers.jobs import Precision, ProblemRef

NAME = "check"


def command(
    problem: Annotated[
        str, typer.Argument(metavar="PROBLEM", help="A name, or module:Class of your own.")
    ],
    option: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="As in problem_options; once for each."),
    ] = None,
    device: Annotated[str, typer.Option(help="Where to try it.")] = "cpu",
    precision: Annotated[str, typer.Option(help="float32, tf32 or bfloat16.")] = "float32",
    as_json: AsJson = False,
) -> None:
    """Train a problem's network for a few steps, in every way that a study may train it.

    Alone and in plain PyTorch, twice, saved and resumed, and in a stack; all tensors and losses
    are compared. Exit code 1 if runs would be wrong.
    """
    if precision not in ("float32", "tf32", "bfloat16"):
        raise BadSpec(
            f"`--precision` must be float32, tf32 or bfloat16. Got {precision}. Choose one of them."
        )
    ref = ProblemRef(target=problem, options=options_of(option or []), folder=os.getcwd())
    tried = check_problem(ref, device=device, precision=cast("Precision", precision))
    if as_json:
        print_json([_plain(promise) for promise in tried])
    else:
        _show(tried)
    if any(promise.broken for promise in tried):
        raise typer.Exit(1)


def options_of(pairs: Sequence[str]) -> Mapping[str, object]:
    """Options by name; a value is read as TOML, and as a text if it is none.

    Raises:
        BadSpec: One is not of the form KEY=VALUE.
    """
    found: dict[str, object] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not key or not equals:
            raise BadSpec(f"`--option` takes KEY=VALUE. Got {pair!r}. Write n_train=600.")
        try:
            found[key] = tomllib.loads(f"value = {text}")["value"]
        except (tomllib.TOMLDecodeError, RecursionError):
            found[key] = text
    return found


def _plain(promise: Promise) -> dict[str, Any]:
    return {"name": promise.name, "needed": promise.needed, "found": promise.found}


def _show(tried: Sequence[Promise]) -> None:
    rows = table("promise", "", "what was found")
    for promise in tried:
        mark = ("kept", "green")
        if promise.found:
            mark = ("broken", "red") if promise.needed else ("no", "yellow")
        rows.add_row(promise.name, styled(mark), promise.found)
    console.print(rows)
    broken = sum(promise.broken for promise in tried)
    if broken:
        say((f"{broken} broken", "red"), ": runs of this problem would be wrong.")
    else:
        say("Runs of this problem come out as they should.")
