"""Drawings as plain values, without Plotly: what figures, still pictures and the dashboard share.

A `Sketch` holds traces and a layout, named as Plotly names them. A figure is a sketch that Plotly
checks; `still` draws one as an SVG picture.
"""

from reports.drawing._matrix import Matrix, matrices
from reports.drawing._sketch import Sketch
from reports.drawing.svg import Page, still

__all__ = ["Matrix", "Page", "Sketch", "matrices", "still"]
