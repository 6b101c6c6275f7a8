"""What tasks with a yes-or-no label are judged by, exact over batches of any size.

They belong to the loss `bce`. A target is 1 or 0 (or a probability, which counts as yes above one
half); NaN is missing. An output is a logit: yes above 0. Importing this package loads torch.
"""

from trainers.problems.labels.counts import F1, LabelAccuracy, LabelErrorRate
from trainers.problems.labels.ranks import Auroc

__all__ = ["F1", "Auroc", "LabelAccuracy", "LabelErrorRate"]
