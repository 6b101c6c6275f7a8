"""Segmentation, depth and surface normals of images: cards, outputs, losses and metrics.

Losses and metrics are those of MTAN's and LibMTL's code (`trainers.problems.dense`). Reading cards
loads no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from trainers.cards import MetricCard, TaskCard

if TYPE_CHECKING:
    from trainers.protocol import Metric, TaskFunctions

ARRAYS: Final = {"segmentation": "label", "depth": "depth", "normal": "normal"}
"""Task to the array that it is judged by."""
_LIMITS = (11.25, 22.5, 30.0)


def task_cards(tasks: Sequence[str], *, depth: str, unit: str) -> tuple[TaskCard, ...]:
    """Cards of some of the three tasks.

    Args:
        depth: Title of the depth, which some sets have inverse.
        unit: Of the depth.
    """
    cards = {
        "segmentation": TaskCard(
            name="segmentation",
            title="Class of each pixel",
            loss="cross-entropy",
            metrics=(
                MetricCard(name="miou", title="Mean IoU", direction="max"),
                MetricCard(name="pixel_accuracy", title="Pixel accuracy", direction="max"),
            ),
        ),
        "depth": TaskCard(
            name="depth",
            title=depth,
            loss="L1",
            metrics=(
                MetricCard(name="abs_error", title="Absolute error", direction="min", unit=unit),
                MetricCard(name="rel_error", title="Relative error", direction="min"),
            ),
        ),
        "normal": TaskCard(
            name="normal",
            title="Surface normals",
            loss="1 - cosine",
            metrics=(
                MetricCard(name="mean", title="Mean angle", direction="min", unit="°"),
                MetricCard(name="median", title="Median angle", direction="min", unit="°"),
                *(
                    MetricCard(name=_within(limit), title=f"Within {limit:g}°", direction="max")
                    for limit in _LIMITS
                ),
            ),
        ),
    }
    return tuple(cards[task] for task in tasks)


def n_outputs(task: str, n_classes: int) -> int:
    """What a head gives each pixel."""
    return {"segmentation": n_classes, "depth": 1, "normal": 3}[task]


def task_functions(task: str, n_classes: int) -> TaskFunctions:
    """Loss, metrics, and how many pixels are valid."""
    from trainers.problems import dense
    from trainers.problems._losses import cross_entropy, l1, valid_elements
    from trainers.problems._metrics import Accuracy, MeanAbsoluteError
    from trainers.protocol import TaskFunctions

    metrics: dict[str, dict[str, Metric]] = {
        "segmentation": {"miou": dense.MeanIoU(n_classes), "pixel_accuracy": Accuracy()},
        "depth": {"abs_error": MeanAbsoluteError(), "rel_error": dense.MeanRelativeError()},
        "normal": {
            "mean": dense.MeanAngle(),
            "median": dense.MedianAngle(),
            **{_within(limit): dense.WithinAngle(limit) for limit in _LIMITS},
        },
    }
    losses = {"segmentation": cross_entropy, "depth": l1, "normal": dense.cosine}
    count = dense.valid_directions if task == "normal" else valid_elements
    return TaskFunctions(losses[task], metrics[task], count)


def _within(limit: float) -> str:
    return f"within_{limit:g}"
