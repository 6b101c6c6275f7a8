"""``weighbridge problem check --json``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from study.cli.shapes._shape import Printed, Shape


class Promise(Shape):
    """What a problem must keep to, as it was tried."""

    name: str = Field(description="What is promised.")
    needed: bool = Field(description="Whether runs are wrong without it; else they are slower.")
    found: str = Field(description="What stands against it; empty if it is kept.")


class ProblemCheck(Printed):
    """Whether a problem keeps to what engines rely on."""

    document: Literal["problem.check"]
    promises: list[Promise] = Field(description="In the order in which they were tried.")


class Wrong(Shape):
    """One thing that is wrong with files."""

    path: str = Field(description="File or folder.")
    expected: str = Field(description="The rule.")
    found: str = Field(description="What is there instead.")
    way_out: str = Field(description="What to do.")


class ProblemFiles(Printed):
    """Whether the files of a problem are whole: with ``--root``."""

    document: Literal["problem.files"]
    root: str = Field(description="Folder that was looked through.")
    findings: list[Wrong] = Field(description="What is wrong with them.")
    data_version: Any = Field(
        description="What a study will know them by, as on the card; null if anything is wrong."
    )


SHAPE = ProblemCheck | ProblemFiles
