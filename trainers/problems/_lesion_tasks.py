"""What is asked of an image with lesions: are there any, how grave is it, how many.

Reading cards loads no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from trainers.cards import MetricCard, TaskCard
from trainers.problems._label_tasks import METRICS, label_functions
from trainers.problems._options import check_task

if TYPE_CHECKING:
    from torch import nn

    from trainers.protocol import TaskFunctions

N_GRADES: Final = 3
_OUTPUTS: Final = {"present": 1, "severity": N_GRADES, "count": 1}
PRESENT: Final = TaskCard(
    name="present",
    title="A lesion is there",
    loss="binary cross-entropy",
    metrics=(METRICS["error_rate"], METRICS["auroc"]),
    classes=2,
)
SEVERITY: Final = TaskCard(
    name="severity",
    title="Severity: 0, 1 to 2, or 3 and more",
    loss="cross-entropy",
    metrics=(METRICS["error_rate"],),
    classes=N_GRADES,
)
COUNT: Final = TaskCard(
    name="count",
    title="Number of lesions",
    loss="L1",
    metrics=(MetricCard(name="mae", title="Mean absolute error", direction="min", unit="lesions"),),
)
TASKS: Final[Mapping[str, TaskCard]] = {task.name: task for task in (PRESENT, SEVERITY, COUNT)}


def lesion_head(task: str, n_maps: int, known: Mapping[str, TaskCard] = TASKS) -> nn.Module:
    """The mean over each of so many maps, then a linear layer.

    Raises:
        UnknownTask: There is no such task.
    """
    from trainers.nets.maps import PooledHead

    check_task(task, known)
    return PooledHead(n_maps, _OUTPUTS[task])


def lesion_functions(task: str, known: Mapping[str, TaskCard] = TASKS) -> TaskFunctions:
    """Loss and metrics of a task.

    Raises:
        UnknownTask: There is no such task.
    """
    from trainers.problems._losses import cross_entropy, l1
    from trainers.problems._metrics import ErrorRate, MeanAbsoluteError
    from trainers.protocol import TaskFunctions

    check_task(task, known)
    if task == "present":
        return label_functions([metric.name for metric in PRESENT.metrics])
    if task == "severity":
        return TaskFunctions(loss=cross_entropy, metrics={"error_rate": ErrorRate()})
    return TaskFunctions(loss=l1, metrics={"mae": MeanAbsoluteError()})
