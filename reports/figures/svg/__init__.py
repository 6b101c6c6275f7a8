"""Figures as still SVG pictures, drawn from the same points: without script, and small.

Only what the figures here are made of is drawn: scatter traces in x and y and in shares of three,
lines as shapes, annotations, a legend, a colour bar. The pointer, buttons, and what the legend
would switch on are left out. Texts take the colour of the page around them.
"""

from reports.figures.svg._picture import Picture, picture

__all__ = ["Picture", "picture"]
