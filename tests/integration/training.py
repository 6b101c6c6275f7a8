"""Training functions for studies of the tests, written as their users would."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

STEPS = 6


def train(params: dict[str, Any], seed: int, folder: Path, report: Any) -> None:
    """A loss that falls to the seed's own floor; saves and resumes by itself."""
    _train(params, seed, folder, report)


def slow(params: dict[str, Any], seed: int, folder: Path, report: Any) -> None:
    """The same, with time to be killed in."""
    _train(params, seed, folder, report, before=lambda _step: time.sleep(0.15))


def fatal(params: dict[str, Any], seed: int, folder: Path, report: Any) -> None:
    """The same, shown; the first attempt at each run dies as soon as it has reported step 3."""
    _train(
        params,
        seed,
        folder,
        report,
        before=lambda step: _die_once(folder, step == 4),
        saved=lambda step: _show(report, step),
    )


def showing(params: dict[str, Any], seed: int, folder: Path, report: Any) -> None:
    """The same, shown in each way there is."""
    _train(params, seed, folder, report, saved=lambda step: _show(report, step))


def careless(params: dict[str, Any], seed: int, folder: Path, report: Any) -> None:
    """The same; the first attempt dies between saving step 3 and reporting it."""
    _train(params, seed, folder, report, saved=lambda step: _die_once(folder, step == 3))


def _nothing(_step: int) -> None: ...


def _show(report: Any, step: int) -> None:
    from trainers.exhibits import Curve, Histogram, Pictures, Table, png

    report.show(Histogram("bins", "Bins", [0, 1, 2], {"right": [step, 2], "wrong": [0, 1]}))
    report.show(Curve("line", "A line", "x", "y", {"one": [(1, step)]}, {"one": [(1, 0, 9)]}))
    report.show(Table("steps", "Steps", ["what", "n"], [["step", step]]))
    report.show(Pictures("shades", "Shades", [(png([[step / STEPS]]), f"step {step}")]))


def _die_once(folder: Path, now: bool) -> None:
    if now and not (folder / "died").exists():
        (folder / "died").touch()
        os._exit(9)


def _train(
    params: dict[str, Any],
    seed: int,
    folder: Path,
    report: Any,
    *,
    before: Callable[[int], None] = _nothing,
    saved: Callable[[int], None] = _nothing,
) -> None:
    state = folder / "state.json"
    first, loss = json.loads(state.read_text()) if state.exists() else (1, 8.0 * params["depth"])
    for step in range(first, STEPS + 1):
        before(step)
        loss = loss * params["lr"] + 0.01 * seed
        state.write_text(json.dumps([step + 1, loss]))
        with (folder / "calls").open("a") as file:
            file.write(f"{step}\n")
        saved(step)
        report(step, {"loss": loss, "test_loss": 2 * loss})


def objective(trial: Any) -> float:
    """For Optuna."""
    with (Path(trial.user_attrs["folder"]) / "calls").open("a") as file:
        file.write("called\n")
    loss = 8.0 * trial.suggest_int("depth", 1, 2)
    lr = trial.suggest_float("lr", 0.1, 0.9)
    for step in range(STEPS):
        loss = loss * lr + 0.01 * trial.user_attrs["seed"]
        trial.report(loss, step)
        if trial.should_prune():
            import optuna

            raise optuna.TrialPruned
    return float(loss)


def trainable(config: dict[str, Any]) -> None:
    """For Ray Tune."""
    from ray import tune

    loss = 8.0 * config["depth"]
    for _ in range(STEPS):
        loss = loss * config["lr"] + 0.01 * config["seed"]
        tune.report({"loss": loss})


def hopeless(params: dict[str, Any], seed: int, folder: Path, report: Any) -> None:
    """Always fails."""
    raise ArithmeticError("this function is tired")
