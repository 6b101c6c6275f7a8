"""How many orders are replayed a second: ``python -m benchmarks.replay``, or ``make bench-replay``.

Plays each strategy on a made-up table of 36 trials on 3 seeds for 30 epochs, the size of the grid
that the quickstart records, without reading a database. An order counts once for all three seeds
that score in turn. Prints a table and, last, one JSON object of orders a second by strategy; those
that know one order only are timed as they are.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from reports.replaying import RecordedTable
from reports.replaying.playing import on_table
from reports.replaying.strategies import strategies
from storage.objectives import known
from storage.wording import counted
from study.searches.tpe_on_table import sequence

_ORDERS = 5_000
_EPOCHS = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=36)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--orders", type=int, default=_ORDERS)
    chosen = parser.parse_args()
    table = _table(chosen.trials, chosen.seeds)
    figures = {}
    for name, one in strategies(sampler=sequence).items():
        if one.refusal(table):
            continue
        on_table(table, {name: one}, orders=2)  # what is imported late
        started_s = time.perf_counter()
        (row,) = on_table(table, {name: one}, orders=chosen.orders).rows
        took_s = time.perf_counter() - started_s
        print(f"{name:10} {counted(row.orders, 'order'):>12} in {took_s:6.3f} s", end="")
        if row.orders > 1:
            figures[name] = round(row.orders / took_s)
            print(f": {figures[name]:7,} a second", end="")
        print(flush=True)
    print(json.dumps(figures))


def _table(n_trials: int, n_seeds: int) -> RecordedTable:
    """Noisy curves that fall towards the level of their trial, along a line of one number."""
    rng = np.random.default_rng(0)
    place = np.linspace(-1, 1, n_trials)
    falling = 40 * np.exp(-np.arange(1, _EPOCHS + 1) / 5)
    shape = (n_trials, n_seeds, _EPOCHS)
    values = [(4 * place**2)[:, None, None] + falling + rng.normal(0, 0.5, shape) for _ in range(2)]
    keys, test = np.minimum.accumulate(values[0], axis=2), values[1]
    whole = np.full((n_trials, n_seeds), float(_EPOCHS))
    return RecordedTable(
        search="made-up",
        stage=0,
        kind="grid",
        adaptive=False,
        objective=known([("left", "error_rate", "min")])["delta_m"],
        margin=1.0,
        points=tuple({"x": float(k + 1)} for k in range(n_trials)),
        keys=keys[:, :, -1],
        scores=test[:, :, -1],
        judged_on="test",
        cost={"solo_s": whole, "as_run_s": whole, "epochs": whole},
        trained=whole,
        ties=(np.zeros(n_trials), np.arange(n_trials, dtype=np.float64)),
        n_epochs=_EPOCHS,
        keys_by_epoch=keys,
        scores_by_epoch=test,
    )


if __name__ == "__main__":
    main()
