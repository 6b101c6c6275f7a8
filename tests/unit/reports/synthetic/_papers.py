"""The made-up study's problem card and spec."""

from typing import Any

from tests.unit.reports.synthetic._world import DECAYS, LRS, OTHERS, STUDY, TEMPERATURES
from trainers.weightings import names, weighting

CARD: dict[str, Any] = {
    "name": "synthetic-digits",
    "title": "Synthetic digits",
    "kind": "composed",
    "source": "made up for tests",
    "licence": "CC0-1.0",
    "caveats": ["The digits are made up."],
    "sizes": {"train": 1000, "validation": 2000, "test": 2000},
    "network": "MLP 196-128-128",
    "weightings": {name: weighting(name).title for name in names()},
    "tasks": [
        {
            "name": side,
            "title": f"{side.title()} digit",
            "loss": "cross-entropy",
            "metrics": [
                {
                    "name": "error",
                    "title": "error rate",
                    "direction": "min",
                    "unit": "%",
                    "share": True,
                }
            ],
        }
        for side in ("left", "right")
    ]
    + [
        {
            "name": "sum",
            "title": "Sum of digits",
            "loss": "L1",
            "metrics": [
                {"name": "mae", "title": "mean absolute error", "direction": "min", "unit": ""},
                {"name": "within_1", "title": "within one", "direction": "max", "unit": "%"},
            ],
        }
    ],
}


def spec(seeds: tuple[int, ...], epochs: int, *, claimed: bool = False) -> dict[str, Any]:
    lr = list(LRS)
    grid = {"lr": lr, "weight_decay": list(DECAYS)} if claimed else {"lr": lr}
    more = [{"name": name, "weighting": name, "stages": [{"lr": lr}]} for name in OTHERS if claimed]
    return {
        "name": STUDY,
        "problem": "synthetic-digits",
        "seeds": list(seeds),
        "training": {"epochs": epochs, "batch_size": 128, "optimizer": "adam"},
        "objective": None,
        "compare": {"margin": 1.0, "select_epoch": "best", "claim": None, "sealed": False},
        "search": [
            {"name": "ew", "weighting": "ew", "stages": [grid]},
            *more,
            {"name": "uw", "weighting": "uw", "stages": [{"lr": lr}]},
            {
                "name": "uw-so",
                "weighting": "uw-so",
                "stages": [{"lr": lr}, {"temperature": {"line": list(TEMPERATURES)}}],
            },
            {
                "name": "scalarization",
                "weighting": "scalarization",
                "stages": [{"lr": lr}, {"task_weights": {"simplex_step": 0.1}}],
            },
        ],
    }
