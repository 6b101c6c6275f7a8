"""``weighbridge export --json``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from study.cli.shapes._shape import Count, Printed, Shape


class ExportFile(Printed):
    """The file that was written."""

    document: Literal["export.file"]
    study: str
    path: str
    size_bytes: Count


class OptunaStudy(Shape):
    """A study in the Optuna database."""

    name: str = Field(description="As Optuna has it.")
    n_trials: Count = Field(description="How many were written.")


class ExportOptuna(Printed):
    """What was written into an Optuna database."""

    document: Literal["export.optuna"]
    study: str
    url: str = Field(description="Without its password.")
    studies: list[OptunaStudy] = Field(description="A search each.")


SHAPE = ExportFile | ExportOptuna
