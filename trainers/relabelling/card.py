"""What the trainer says about itself: parameters, metrics, objectives. No torch."""

from __future__ import annotations

from typing import Final

from trainers.cards import Direction, MetricCard
from trainers.trainer_card import ObjectiveCard, ParameterCard, TrainerCard

ERROR: Final = "error_rate"
METHODS: Final = ("relabel", "to-end", "early-stopping", "cleanlab")
ESTIMATORS: Final = ("mc-dropout", "ensemble", "softmax")
SCORES: Final = ("given-label", "entropy", "mutual-information", "spread")
THRESHOLDS: Final = ("otsu", "mixture", "quantile")
EPOCH_RULES: Final = ("lowest-noisy-error", "clearest-separation", "fixed")
ACTIONS: Final = ("relabel", "drop")

_PARAMETERS: Final = (
    ParameterCard(
        name="method",
        title="What is done about wrong labels: mend them by uncertainty, train to the end as if "
        "there were none, stop at the lowest noisy validation error, or mend what cleanlab finds",
        default="relabel",
        choices=METHODS,
    ),
    ParameterCard(
        name="estimator",
        title="Where the predictions come from whose uncertainty is looked at",
        default="mc-dropout",
        choices=ESTIMATORS,
    ),
    ParameterCard(
        name="passes",
        title="Passes with dropout, of `mc-dropout`",
        default=10,
        low=2,
        high=1000,
        integer=True,
    ),
    ParameterCard(
        name="networks",
        title="Networks of an `ensemble`, trained as one stack",
        default=5,
        low=2,
        high=64,
        integer=True,
    ),
    ParameterCard(
        name="score", title="How doubtful a label is", default="given-label", choices=SCORES
    ),
    ParameterCard(
        name="threshold",
        title="Where doubtful labels begin",
        default="otsu",
        choices=THRESHOLDS,
    ),
    ParameterCard(
        name="quantile_share",
        title="Share of labels that are doubtful, of `quantile`",
        default=0.2,
        low=0.001,
        high=0.999,
    ),
    ParameterCard(
        name="epoch_rule",
        title="Whose epoch's weights say which labels are doubtful",
        default="lowest-noisy-error",
        choices=EPOCH_RULES,
    ),
    ParameterCard(
        name="fixed_epoch", title="That epoch, of `fixed`", default=10, low=1, integer=True
    ),
    ParameterCard(
        name="action",
        title="What becomes of a doubtful label: the class that is most likely instead, or none",
        default="relabel",
        choices=ACTIONS,
    ),
    ParameterCard(
        name="rounds",
        title="How often labels are mended; after each time training begins anew",
        default=1,
        low=1,
        high=100,
        integer=True,
    ),
    ParameterCard(
        name="epochs_per_round",
        title="Epochs of each training",
        default=25,
        low=1,
        integer=True,
    ),
    ParameterCard(name="lr", title="Learning rate", default=1e-3, low=1e-10),
    ParameterCard(
        name="dropout",
        title="Share of features that the network drops in training",
        default=0.3,
        low=0.0,
        high=0.95,
    ),
)

_BY_TRUTH: Final[tuple[tuple[str, str, Direction], ...]] = (
    ("detection_auroc", "AUROC of finding wrong training labels", "max"),
    ("detection_average_precision", "Average precision of finding them", "max"),
    ("detection_precision", "Precision of the doubtful", "max"),
    ("detection_recall", "Recall of the doubtful", "max"),
    ("wrong_labels_before", "Share of wrong training labels as given", "min"),
    ("wrong_labels_after", "Share of wrong training labels after mending", "min"),
)

_METRICS: Final = (
    MetricCard(name=ERROR, title="Error rate", direction="min"),
    MetricCard(
        name="suspect_share", title="Share of training labels that are doubtful", direction="min"
    ),
    MetricCard(name="separation", title="Separation of the scores", direction="max"),
    *(
        MetricCard(name=name, title=title, direction=direction, uses_truth=True)
        for name, title, direction in _BY_TRUTH
    ),
)

CARD: Final = TrainerCard(
    name="uncertainty-relabel",
    title="Noisy-label training",
    source="Köhler, Autenrieth & Beluch, CVPR Workshops 2019 (arXiv 1906.11876)",
    task_title="Classes from labels some of which are wrong",
    metrics=_METRICS,
    objectives=(
        ObjectiveCard(name="noisy_val_error", metric=ERROR, title="Error rate"),
        ObjectiveCard(
            name="detection_auroc",
            metric="detection_auroc",
            uses_truth=True,
            title="Area under the ROC curve of finding wrong labels",
        ),
        ObjectiveCard(
            name="detection_average_precision",
            metric="detection_average_precision",
            uses_truth=True,
            title="Average precision of finding wrong labels",
        ),
        ObjectiveCard(
            name="wrong_labels_after",
            metric="wrong_labels_after",
            uses_truth=True,
            title="Share of labels that are wrong after mending",
        ),
    ),
    parameters=_PARAMETERS,
    select_epoch="last",
)
