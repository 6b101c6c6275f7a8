"""What tasks with an answer a pixel are trained and judged by: regions, depths, directions.

Class -1 is ignored, and so are numbers that are NaN; a direction is missing, too, if its length is
0. `Accuracy` and `MeanAbsoluteError` of `trainers.problems` count pixels as they do samples.
"""

from trainers.problems._metrics import MeanRelativeError
from trainers.problems.dense.directions import (
    MeanAngle,
    MedianAngle,
    WithinAngle,
    cosine,
    valid_directions,
)
from trainers.problems.dense.regions import MeanIoU

__all__ = [
    "MeanAngle",
    "MeanIoU",
    "MeanRelativeError",
    "MedianAngle",
    "WithinAngle",
    "cosine",
    "valid_directions",
]
