"""Costs of searches worked out again from the SQL views alone, by the reference of measures."""

from __future__ import annotations

import math
import sqlite3
import statistics
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.integration.textbook import quantile


class Costs:
    """Costs and timings of a finished study in packs.

    Args:
        path: SQLite file with this study only.
    """

    def __init__(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.row_factory = sqlite3.Row
            runs = connection.execute("SELECT * FROM run_results WHERE planned").fetchall()
            timings = connection.execute("SELECT * FROM epoch_timings").fetchall()
        self._runs = [run for run in runs if run["role"] == "search"]
        self._timings = {
            (row["search"], row["attempt"], row["sweep"]): row["epoch_s"] for row in timings
        }

    def row(self, search: str) -> dict[str, Any]:
        """What the comparison's row says of timings."""
        found = [s for (name, _, _), s in self._timings.items() if name == search]
        return {
            "epoch_s": self._charge(search),
            "epoch_error_s": statistics.stdev(found) / math.sqrt(len(found)),
            "n_timings": len(found),
        }

    def unsure(self, search: str) -> float:
        """Half the interval of an epoch's mean time, in parts of it."""
        told = self.row(search)
        half: float = quantile(0.975, told["n_timings"] - 1) * told["epoch_error_s"]
        return half / told["epoch_s"]

    def _charge(self, search: str) -> float:
        """Mean share within sweeps times the mean level of its sweeps."""
        sweeps: dict[tuple[int, int], list[float]] = {}
        for (_, *sweep), s in self._timings.items():
            sweeps.setdefault((sweep[0], sweep[1]), []).append(s)
        levels = {sweep: statistics.fmean(times) for sweep, times in sweeps.items()}
        mine = [
            (s, levels[attempt, number])
            for (name, attempt, number), s in self._timings.items()
            if name == search
        ]
        share = statistics.fmean(s / level for s, level in mine)
        return share * statistics.fmean(level for _, level in mine)

    def ratio(self, a: str, b: str) -> dict[str, Any]:
        """Costs of one search in units of another's, with the interval of their steps' ratio."""
        logs = [
            math.log(s / self._timings[b, attempt, sweep])
            for (name, attempt, sweep), s in self._timings.items()
            if name == a
        ]
        n, mean = len(logs), statistics.fmean(logs)
        half = quantile(0.975, n - 1) * statistics.stdev(logs) / math.sqrt(n)
        alone = self._share(a, b, "solo_cost_s")
        return {
            "alone": alone,
            "low": alone * math.exp(-half),
            "high": alone * math.exp(half),
            "as_run": self._share(a, b, "method_cost_s"),
            "epochs": self._share(a, b, "paid_epochs"),
            "step_ratio": math.exp(mean),
            "step_ratio_low": math.exp(mean - half),
            "step_ratio_high": math.exp(mean + half),
            "n_sweeps": n,
        }

    def _share(self, a: str, b: str, column: str) -> float:
        return self._sum(a, column) / self._sum(b, column)

    def _sum(self, search: str, column: str) -> float:
        mine = [run for run in self._runs if run["search"] == search]
        if column == "paid_epochs":
            return sum(run["epochs"] + (run["diverged_epoch"] is not None) for run in mine)
        return math.fsum(run[column] for run in mine)
