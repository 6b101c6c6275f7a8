"""Tasks with a yes-or-no label: what they may be judged by, loss and metrics.

Reading cards loads no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from trainers.cards import MetricCard

if TYPE_CHECKING:
    from trainers.protocol import TaskFunctions

METRICS: Final = {
    "auroc": MetricCard(name="auroc", title="Area under the ROC curve", direction="max"),
    "f1": MetricCard(name="f1", title="F1, mean of both classes", direction="max"),
    "accuracy": MetricCard(name="accuracy", title="Accuracy", direction="max"),
    "error_rate": MetricCard(name="error_rate", title="Error rate", direction="min"),
}


def label_functions(metrics: Sequence[str]) -> TaskFunctions:
    """Binary cross-entropy, and the metrics of these names."""
    from trainers.problems._losses import bce
    from trainers.problems.labels import F1, Auroc, LabelAccuracy, LabelErrorRate
    from trainers.protocol import Metric, TaskFunctions

    known: dict[str, Metric] = {
        "auroc": Auroc(),
        "f1": F1(),
        "accuracy": LabelAccuracy(),
        "error_rate": LabelErrorRate(),
    }
    return TaskFunctions(loss=bce, metrics={name: known[name] for name in metrics})
