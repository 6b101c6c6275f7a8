"""A comparison as a notebook shows it: HTML without script, that opens anywhere."""

import math
from collections.abc import Sequence
from html import escape

import pandas as pd

from reports._ranking import number
from reports.comparing.rows import MethodRow
from reports.comparing.wording import span
from storage.objectives import Objective


def notebook_html(sentence: str, rows: Sequence[MethodRow], objective: Objective) -> str:
    """The headline, and a row a method: what it reaches, on what that rests, and what it cost."""
    shown = pd.DataFrame(
        {
            "method": [row.title for row in rows],
            f"test {objective.title}": [_value(objective, row.value_test) for row in rows],
            "95 % interval": [
                span(objective, row.interval) if row.interval else "–" for row in rows
            ],
            "value is": [row.delta_m_kind for row in rows],
            "trials": [row.n_trials for row in rows],
            "runs": [row.n_runs for row in rows],
            "device-seconds alone": [f"{row.cost_solo_s:,.1f}" for row in rows],
        }
    )
    return f"<p>{escape(sentence)}</p>\n{shown.to_html(index=False, border=0)}"


def _value(objective: Objective, value: float) -> str:
    if math.isnan(value):
        return "–"
    return "diverged" if math.isinf(value) else number(objective, value)
