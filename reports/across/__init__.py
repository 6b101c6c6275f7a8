"""Several studies side by side: whether they can be compared, and what all of them together say.

Reads what `reports.comparing` finds of each.
"""

from reports.across.comparison import StudiesComparison, compare_studies

__all__ = ["StudiesComparison", "compare_studies"]
