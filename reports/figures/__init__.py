"""The figures of a study, one file each. Every function makes a Plotly figure of the frames.

A figure that cannot be drawn is a `NoFigure`, which says why. Figures are transparent and their
greys read on light and dark pages; `layout.meta` holds what changes on a `wide` and on a `narrow`
page (under 600 px) as changes for `Plotly.relayout`.
"""

from reports._palette import method_colour
from reports.figures._cost import cost_versus_performance
from reports.figures._front import task_front, volume_versus_cost
from reports.figures._history import trial_history
from reports.figures._importances import importance_bars
from reports.figures._learning_curves import learning_curves
from reports.figures._none import NoFigure
from reports.figures._pairs import task_pairs
from reports.figures._parallel import parallel_coordinates
from reports.figures._profile import performance_profile
from reports.figures._sensitivity import sensitivity
from reports.figures._simplex import weight_simplex
from reports.figures._temperature import temperature_curve
from reports.figures._trajectories import weight_trajectories

__all__ = [
    "NoFigure",
    "cost_versus_performance",
    "importance_bars",
    "learning_curves",
    "method_colour",
    "parallel_coordinates",
    "performance_profile",
    "sensitivity",
    "task_front",
    "task_pairs",
    "temperature_curve",
    "trial_history",
    "volume_versus_cost",
    "weight_simplex",
    "weight_trajectories",
]
