"""What is tried, and how good it is: the truth behind the made-up study.

Quality has one optimum in the learning rate (3e-3; 1e-3 where weights are tuned), the temperature
(2) and the task weights (0.2, 0.3, 0.5).
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

STUDY = "synthetic"
TASKS = ("left", "right", "sum")
METRICS = (("left", "error", 1), ("right", "error", 1), ("sum", "mae", 1), ("sum", "within_1", -1))
LRS = (3e-4, 1e-3, 3e-3, 1e-2)
DECAYS = (0.0, 1e-4, 1e-3)
OTHERS = ("rlw", "dwa", "gls", "imtl-l")
TEMPERATURES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
BEST_WEIGHTS = (0.2, 0.3, 0.5)
BASE = {"error": 8.0, "mae": 0.9, "within_1": 85.0}


def quality(weighting: str, params: Mapping[str, Any]) -> float:
    """The noise-free test delta_m of a point, in percent."""
    best_lr = 1e-3 if weighting == "scalarization" else 3e-3
    levels = {"ew": 3.0, "uw": 1.0, "uw-so": -4.0, "scalarization": -4.5}
    value = levels.get(weighting, 2.0)  # OTHERS are alike
    value += 6.0 * math.log10(params["lr"] / best_lr) ** 2
    value += 1e3 * abs(params["weight_decay"] - DECAYS[1]) - 1e3 * DECAYS[1]
    if "temperature" in params:
        value += 3.0 * math.log10(params["temperature"] / 2.0) ** 2
    if "task_weights" in params:
        gaps = zip(params["task_weights"], BEST_WEIGHTS, strict=True)
        value += 40.0 * sum((have - best) ** 2 for have, best in gaps)
    return value


def saved_in_packs(search: str) -> float:
    """How many times more a run would cost alone: a large grid fills its packs."""
    return 8.0 if search == "scalarization" else 2.0


def simplex(step: float = 0.1) -> list[tuple[float, float, float]]:
    """The interior points of the three-task grid, in lexicographic order."""
    n = round(1 / step)
    return [(i / n, j / n, (n - i - j) / n) for i in range(1, n) for j in range(1, n - i)]


def weights(weighting: str, params: Mapping[str, Any], n_tasks: int) -> list[float]:
    if weighting == "uw-so":
        shares = np.exp(np.arange(n_tasks) / params["temperature"])
        return [float(w) for w in shares / shares.sum()]
    return [float(w) for w in params.get("task_weights", [1.0] * n_tasks)]
