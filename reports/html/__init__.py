"""The report of a study: one HTML file that needs no network and no other file.

Reads frames and what others find of them; it works out nothing itself.
"""

from reports.html._conflicts import conflicts_plot
from reports.html._function_plots import curves_plot
from reports.html._page import write, write_studies
from reports.html._plots import Plot, weights_plot

__all__ = ["Plot", "conflicts_plot", "curves_plot", "weights_plot", "write", "write_studies"]
