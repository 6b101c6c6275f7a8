"""One look for each loss weighting, the same in every figure.

Every colour has a contrast of at least 3 to 1 on white and on the dark page (WCAG 2.2, 1.4.11),
so one figure serves both. Hues of methods that are usually compared differ for the common kinds of
colour blindness too; the marker's shape says the same thing a second time.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceStyle:
    """How a weighting is drawn.

    Attributes:
        colour: Hexadecimal, `#rrggbb`.
        symbol: A Plotly marker symbol.
    """

    colour: str
    symbol: str


LOOKS: Mapping[str, TraceStyle] = {
    "stl": TraceStyle(colour="#7d8590", symbol="line-ew-open"),
    "ew": TraceStyle(colour="#8a7f72", symbol="square"),
    "scalarization": TraceStyle(colour="#d9630b", symbol="diamond"),
    "uw-so": TraceStyle(colour="#1f77d0", symbol="circle"),
    "uw": TraceStyle(colour="#128a63", symbol="triangle-up"),
    "uw-o": TraceStyle(colour="#2a97b8", symbol="triangle-down"),
    "rlw": TraceStyle(colour="#c25b9b", symbol="cross"),
    "dwa": TraceStyle(colour="#8b6fd0", symbol="x"),
    "gls": TraceStyle(colour="#a5701c", symbol="pentagon"),
    "imtl-l": TraceStyle(colour="#d6425c", symbol="star"),
}

# Searches of a trainer are methods by their names, and never stand beside weightings.
OF_TRAINERS: Mapping[str, TraceStyle] = {
    "relabel": TraceStyle(colour="#1f77d0", symbol="circle"),
    "entropy": TraceStyle(colour="#2a97b8", symbol="triangle-down"),
    "softmax": TraceStyle(colour="#8b6fd0", symbol="x"),
    "to-end": TraceStyle(colour="#8a7f72", symbol="square"),
    "early-stopping": TraceStyle(colour="#d9630b", symbol="diamond"),
    "gate": TraceStyle(colour="#128a63", symbol="triangle-up"),
    "no-gate": TraceStyle(colour="#a5701c", symbol="pentagon"),
    "over-data": TraceStyle(colour="#c25b9b", symbol="cross"),
}

# Weightings the table does not know: gradient-level ones and the user's own.
OTHERS = (
    TraceStyle(colour="#6a8c1f", symbol="hexagon"),
    TraceStyle(colour="#4f72a6", symbol="hourglass"),
    TraceStyle(colour="#b3543a", symbol="bowtie"),
    TraceStyle(colour="#9a4fb8", symbol="star-diamond"),
    TraceStyle(colour="#3f8f8f", symbol="diamond-tall"),
    TraceStyle(colour="#7f8a2e", symbol="square-cross"),
)

# Tasks are not methods: they have colours of their own, near those of Okabe and Ito.
TASKS = ("#2f7fc1", "#d1720f", "#16906b", "#b85c98", "#a67c00", "#6f76c9", "#c04a3f", "#5f8f2e")


def look(weighting: str) -> TraceStyle:
    """The look of a weighting; an unknown name gets one that depends on nothing but the name."""
    known = LOOKS.get(weighting) or OF_TRAINERS.get(weighting)
    if known is not None:
        return known
    return OTHERS[sum(weighting.encode()) % len(OTHERS)]


def method_colour(weighting: str) -> str:
    """The colour of a weighting, `#rrggbb`."""
    return look(weighting).colour


def task_colour(index: int) -> str:
    """The colour of the task at a position of the card; repeats after eight."""
    return TASKS[index % len(TASKS)]


def translucent(colour: str, opacity: float) -> str:
    """A hexadecimal colour as CSS `rgba(...)`, the one form Plotly takes opacity in."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"
