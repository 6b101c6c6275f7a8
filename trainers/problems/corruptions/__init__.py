"""Images corrupted as by Hendrycks & Dietterich (2019, arXiv 1903.12261): which ways, and how.

Importing this package loads neither torch nor the package that corrupts.
"""

from trainers.problems.corruptions._kinds import (
    KINDS,
    MOVING,
    PACKAGE,
    SEVERITIES,
    condition,
    is_installed,
)

__all__ = [
    "KINDS",
    "MOVING",
    "PACKAGE",
    "SEVERITIES",
    "condition",
    "is_installed",
]
