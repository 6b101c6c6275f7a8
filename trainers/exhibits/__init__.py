"""What a run shows beside its metrics: histograms, curves, pictures and tables, in plain values.

A training function gives them to ``report.show``; they are kept with the run, and drawn in reports
and on the dashboard. An exhibit is checked as it is made.
"""

from trainers.exhibits._kinds import Curve, Histogram, Pictures, Table
from trainers.exhibits._pack import Exhibit, PackedExhibit, Split, pack
from trainers.exhibits._png import png

__all__ = [
    "Curve",
    "Exhibit",
    "Histogram",
    "PackedExhibit",
    "Pictures",
    "Split",
    "Table",
    "pack",
    "png",
]
