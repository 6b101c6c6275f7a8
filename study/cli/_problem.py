"""``weighbridge problem check``: whether a problem keeps to what engines rely on."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, cast, get_args

import typer

from study.cli._options import AsJson
from study.cli._output import console, counted, print_json, say, styled, table
from study.errors import BadSpec
from study.running.preflight import check_problem
from trainers.events import Promise
from trainers.jobs import Precision, ProblemRef
from trainers.problems import card_of
from trainers.problems.checking import check_files

NAME = "check"
_SHOWN = 20


def command(
    problem: Annotated[
        str, typer.Argument(metavar="PROBLEM", help="A name, or module:Class of your own.")
    ],
    option: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="As in problem_options; once for each."),
    ] = None,
    device: Annotated[str, typer.Option(help="Where to try it.")] = "cpu",
    precision: Annotated[str, typer.Option(help="float32, tf32, bfloat16 or float16.")] = "float32",
    root: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Look through the problem's files there instead."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train a problem's network for a few steps, in every way that a study may train it.

    Alone and in plain PyTorch, twice, saved and resumed, and in a stack; all tensors and losses
    are compared. Of a problem whose files you have, `--root` reads all of them instead, and tells
    which are missing, torn, or hold what they must not. Exit code 1 if runs would be wrong.
    """
    options = options_of(option or [])
    if root is not None:
        _check_files(problem, {**options, "root": str(Path(root).expanduser().absolute())}, as_json)
        return
    if precision not in get_args(Precision):
        raise BadSpec(
            f"`--precision` must be one of {', '.join(get_args(Precision))}. Got {precision}. "
            "Choose one of them."
        )
    ref = ProblemRef(target=problem, options=options, folder=os.getcwd())
    tried = check_problem(ref, device=device, precision=cast("Precision", precision))
    if as_json:
        print_json("problem.check", {"promises": [_plain(promise) for promise in tried]})
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


def _check_files(problem: str, options: Mapping[str, object], as_json: bool) -> None:
    """Tell what is wrong with a problem's files, or by which hash a study will know them."""
    ref = ProblemRef(target=problem, options=options, folder=os.getcwd())
    found = [*check_files(ref)]
    card = None if found else card_of(ref)
    if as_json:
        told: dict[str, Any] = {
            "root": options["root"],
            "findings": [{**asdict(finding), "path": str(finding.path)} for finding in found],
            "data_version": None if card is None else card.data_version,
        }
        print_json("problem.files", told)
    else:
        for finding in found[:_SHOWN]:
            say(("wrong", "bold red"), f" {finding}")
        if card is None:
            more = f", of which {_SHOWN} are shown; --json has all" if len(found) > _SHOWN else ""
            say((f"{counted(len(found), 'finding')}", "red"), f" below {options['root']}{more}.")
        else:
            sizes = ", ".join(f"{n:,} {split}" for split, n in card.sizes.items())
            say(("whole", "bold green"), f" {options['root']}: {sizes} samples.")
            say(f"data version: {json.dumps(card.data_version)}")
    if found:
        raise typer.Exit(1)


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
