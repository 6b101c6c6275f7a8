"""Made-up recorded tables, without a study around them, and strategies played on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reports.replaying import STRATEGIES, RecordedTable, Replays
from reports.replaying.playing import on_table
from reports.replaying.strategies import strategies
from storage.objectives import known

PURE = tuple(name for name in STRATEGIES if name != "tpe")
"""Strategies that ask no library."""
DELTA_M = known([("left", "error", "min")])["delta_m"]


def table(
    validation: Any,
    test: Any = None,
    *,
    points: Sequence[Mapping[str, Any]] = (),
    cost: Any = None,
    curves: bool = True,
    margin: float | None = 1.0,
    trained: Any = None,
    left_out: int = 0,
) -> RecordedTable:
    """A table of values ``[N, S, E]``, each as if training had ended there; inf from divergence on.

    Args:
        validation: Lower is better.
        test: Equal to `validation` by default.
        points: ``[N]``; by default a line of one number, `x`, from 1.
        cost: ``[N, S]``, seconds of the whole runs; one an epoch by default.
        curves: Whether values before the last epoch are known.
        margin: The difference that matters.
        trained: ``[N, S]``, epochs that runs have paid for; E by default.
        left_out: Trials of the stage that are not in the table.
    """
    keys = np.asarray(validation, dtype=np.float64)
    scores = np.where(np.isinf(keys), np.nan, keys if test is None else np.asarray(test))
    n_trials, n_seeds, n_epochs = keys.shape
    epochs = np.full((n_trials, n_seeds), float(n_epochs)) if trained is None else trained
    seconds = epochs if cost is None else np.asarray(cost, dtype=np.float64)
    none = np.empty((n_trials, n_seeds, 0))
    return RecordedTable(
        search="made-up",
        stage=0,
        kind="grid",
        adaptive=False,
        objective=DELTA_M,
        margin=margin,
        points=tuple(points) or tuple({"x": float(k + 1)} for k in range(n_trials)),
        keys=keys[:, :, -1],
        scores=scores[:, :, -1],
        judged_on="test",
        cost={"solo_s": seconds, "as_run_s": seconds, "epochs": epochs},
        trained=epochs,
        ties=(np.zeros(n_trials), np.arange(n_trials, dtype=np.float64)),
        n_epochs=n_epochs,
        keys_by_epoch=keys if curves else none,
        scores_by_epoch=scores if curves else none,
        left_out=left_out,
    )


def noiseless(levels: Sequence[float], *, n_seeds: int = 1, n_epochs: int = 9) -> RecordedTable:
    """Trials that stand in the same order after every epoch, on every seed and on test."""
    shape = 1 / np.arange(1, n_epochs + 1)
    return table(np.asarray(levels)[:, None, None] + np.tile(shape, (n_seeds, 1)))


def play(on: RecordedTable, *names: str, orders: int = 40, **more: Any) -> Replays:
    """Pure strategies on a table; all that it does not refuse by default."""
    known = strategies(eta=more.pop("eta", 3))
    return on_table(on, {name: known[name] for name in names or PURE}, orders=orders, **more)


def tried(on: RecordedTable, name: str) -> list[int]:
    """The trials of a strategy with one order of its own."""
    orders = np.arange(on.n_trials)[None]
    ((_, found),) = strategies()[name].plays(on, 0, orders, np.random.default_rng(0))
    return found.trials[0].tolist()


def made_up(seed: int, n_trials: int, n_seeds: int, n_epochs: int = 9) -> RecordedTable:
    """Noisy curves on validation and test, with costs that differ."""
    rng = np.random.default_rng(seed)
    level = rng.normal(0, 2, (n_trials, 1, 1)) + 5 / np.arange(1, n_epochs + 1)
    own = rng.normal(0, 0.5, (n_trials, n_seeds, 1))
    noisy = [level + own + rng.normal(0, 0.5, (n_trials, n_seeds, n_epochs)) for _ in range(2)]
    return table(*noisy, cost=rng.uniform(1, 3, (n_trials, n_seeds)))
