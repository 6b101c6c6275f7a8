"""Several studies side by side: whether they can be compared, and what all of them together say.

Reads what `reports.comparing` finds of each.
"""

from reports.across.comparable import check_distinct
from reports.across.comparison import StudiesComparison, compare_studies

__all__ = ["StudiesComparison", "check_distinct", "compare_studies"]
