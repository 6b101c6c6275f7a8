"""Sketches as still SVG pictures: without script, and small.

Only what the drawings here are made of is drawn: scatter traces in x and y and in shares of three,
lines as shapes, annotations, a legend, a colour bar. The pointer, buttons, and what the legend
would switch on are left out. Texts take the colour of the page around them.
"""

from reports.drawing.svg._still import Page, still

__all__ = ["Page", "still"]
