"""``weighbridge presets --json``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from study.cli.shapes._shape import Count, Printed, Shape


class Preset(Shape):
    """A study that is shipped."""

    study: str = Field(description="Name of the preset.")
    problem: str | None
    reads_files: bool = Field(description="Whether its data are files that you must have.")
    n_searches: Count = Field(description="Searches of its spec.")


class Problem(Shape):
    """A problem that is shipped."""

    problem: str
    title: str


class Weighting(Shape):
    """A weighting, those of plugins included."""

    weighting: str
    title: str
    tuned: list[str] = Field(description="Parameters of its own.")
    paper: str = Field(description="Where it is from.")


class Presets(Printed):
    """What there is to begin with."""

    document: Literal["presets"]
    studies: list[Preset] = Field(description="Studies that are shipped.")
    problems: list[Problem] = Field(description="Problems that are shipped.")
    weightings: list[Weighting] = Field(description="Weightings, those of plugins included.")


SHAPE = Presets
