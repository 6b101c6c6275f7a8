"""What trainer `cam` says about itself; neither torch nor data is touched."""

from __future__ import annotations

from trainers.cards import MetricCard, ProblemCard
from trainers.trainer_card import ObjectiveCard, ParameterCard, TrainerCard

_RULES = {
    "touching": "a region touches it",
    "half": "a region covers half of it",
    "centre": "a region's centre is near its own",
}


def _of_rule(rule: str, title: str) -> tuple[MetricCard, ...]:
    """The metrics of one hit rule, all of which need the lesions."""
    found = {
        f"sensitivity_{rule}": f"Lesions found: {title}",
        f"froc_{rule}": f"Mean sensitivity at 1/8 to 4 false positives an image: {title}",
    }
    shares = tuple(
        MetricCard(name=name, title=title, direction="max", uses_truth=True)
        for name, title in found.items()
    )
    return (
        *shares,
        MetricCard(
            name=f"false_positives_{rule}",
            title=f"False positives an image: {title}",
            direction="min",
            unit="regions",
            uses_truth=True,
        ),
    )


CARD = TrainerCard(
    name="cam",
    title="Class activation maps",
    source="Gondal, Köhler, Grzeszick, Fink, Hirsch, ICIP 2017, arXiv 1706.09634",
    task_title="Is an image diseased, and where",
    metrics=(
        MetricCard(name="auroc", title="AUROC of images", direction="max"),
        MetricCard(name="error_rate", title="Error rate of images", direction="min"),
        MetricCard(
            name="image_sensitivity",
            title=f"Diseased images with a lesion found: {_RULES['touching']}",
            direction="max",
            uses_truth=True,
        ),
        *(metric for rule, title in _RULES.items() for metric in _of_rule(rule, title)),
    ),
    objectives=(
        ObjectiveCard(name="val_auroc", metric="auroc", title="AUROC of images"),
        ObjectiveCard(name="val_error_rate", metric="error_rate", title="Error rate of images"),
        ObjectiveCard(
            name="val_froc",
            metric="froc_touching",
            uses_truth=True,
            title="FROC mean of lesions",
        ),
    ),
    parameters=(
        ParameterCard(name="lr", title="Learning rate", default=3e-3, low=1e-8, high=10),
        ParameterCard(name="weight_decay", title="Weight decay", default=0.0, low=0, high=1),
        ParameterCard(
            name="normalise",
            title="Maps become shares by the extremes of each image, or of all validation images",
            default="image",
            choices=("image", "data"),
        ),
        ParameterCard(
            name="gate",
            title="Only images that are called diseased have regions",
            default=True,
            choices=(True, False),
        ),
        ParameterCard(
            name="threshold",
            title="Share of the map from which on a pixel is of a region",
            default=0.2,
            low=0.01,
            high=1,
        ),
        ParameterCard(
            name="minimal_area",
            title="Pixels that a region has at least",
            default=9,
            low=1,
            integer=True,
        ),
        ParameterCard(
            name="hit_distance",
            title="Pixels between centres up to which a region hits, of the rule `centre`",
            default=8.0,
            low=0,
        ),
    ),
)


def task_of(problem: ProblemCard) -> str:
    """The first task of two classes; empty if there is none."""
    return next((task.name for task in problem.tasks if task.classes == 2), "")
