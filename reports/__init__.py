"""What a study found, and what it cost: tables, budget curves and fair-play notes.

Reports read DataFrames of the study database and write nothing into it. `load` makes the frames;
`compare`, `budget_curve` and `fair_play_notes` draw conclusions from them. Figures are in
`reports.figures`, the HTML report in `reports.html`, exports in `reports.export`.
"""

from reports._reader import StudyReader
from reports.comparing.comparison import Comparison, compare
from reports.comparing.rows import MethodRow
from reports.errors import ReportError
from reports.frames import StudyFrames, TaskMetric, load, with_params
from reports.notes.fair_play import MergedNote, Note, fair_play_notes, merged
from reports.spending.curves import BudgetCurve, budget_curve

__all__ = [
    "BudgetCurve",
    "Comparison",
    "MergedNote",
    "MethodRow",
    "Note",
    "ReportError",
    "StudyFrames",
    "StudyReader",
    "TaskMetric",
    "budget_curve",
    "compare",
    "fair_play_notes",
    "load",
    "merged",
    "with_params",
]
