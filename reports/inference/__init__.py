"""How sure a number is: intervals and tests over seeds, on plain arrays (MEASURES M10, M12, M16).

Knows numbers only, neither frames nor the words of reports.
"""

from reports.inference.components import Components, mixed_share, mixing_parts, variance_parts
from reports.inference.differences import (
    mean_of,
    paired,
    pairing,
    pooled,
    share_better,
    unpaired,
)
from reports.inference.estimates import Estimate, Interval, MeanSquare, estimated
from reports.inference.families import holm_levels
from reports.inference.sign_flips import sign_flip_p

__all__ = [
    "Components",
    "Estimate",
    "Interval",
    "MeanSquare",
    "estimated",
    "holm_levels",
    "mean_of",
    "mixed_share",
    "mixing_parts",
    "paired",
    "pairing",
    "pooled",
    "share_better",
    "sign_flip_p",
    "unpaired",
    "variance_parts",
]
