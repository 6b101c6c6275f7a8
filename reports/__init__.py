"""What a study found, and what it cost: tables, budget curves and fair-play notes.

Reports read DataFrames of the study database and write nothing into it. `load` makes the frames;
`compare`, `budget_curve` and `fair_play_notes` draw conclusions from them. Figures are in
`reports.figures`, the HTML report in `reports.html`, exports in `reports.export`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reports._params import with_params
    from reports._reader import StudyReader
    from reports.comparing.comparison import Comparison, compare
    from reports.comparing.rows import MethodRow
    from reports.errors import ReportError
    from reports.frames import StudyFrames, TaskMetric, load
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

_HOMES = {
    "BudgetCurve": "reports.spending.curves",
    "Comparison": "reports.comparing.comparison",
    "MergedNote": "reports.notes.fair_play",
    "MethodRow": "reports.comparing.rows",
    "Note": "reports.notes.fair_play",
    "ReportError": "reports.errors",
    "StudyFrames": "reports.frames",
    "StudyReader": "reports._reader",
    "TaskMetric": "reports.frames",
    "budget_curve": "reports.spending.curves",
    "compare": "reports.comparing.comparison",
    "fair_play_notes": "reports.notes.fair_play",
    "load": "reports.frames",
    "merged": "reports.notes.fair_play",
    "with_params": "reports._params",
}


def __getattr__(name: str) -> Any:
    """Load a name when it is asked for: the dashboard's server does without pandas."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
