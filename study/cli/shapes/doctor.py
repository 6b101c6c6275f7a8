"""``weighbridge doctor --json``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from study.cli.shapes._shape import Count, Printed, Shape


class Finding(Shape):
    """One thing that was looked at."""

    what: str = Field(description="What was looked at.")
    found: str = Field(description="What is there.")
    trouble: str = Field(description="What is wrong with it; empty if nothing is.")


class Doctor(Printed):
    """Versions, the database, devices and data sets."""

    document: Literal["doctor"]
    n_troubles: Count = Field(description="How many findings have a trouble.")
    findings: list[Finding] = Field(description="One after the other.")


SHAPE = Doctor
