"""``weighbridge ray doctor --json``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from study.cli.shapes._shape import Count, Printed, Shape


class Driver(Shape):
    """What a worker would find here; questions that were not asked are null."""

    name: str = Field(description="Of the node; empty for the driver.")
    cpus: float = Field(description="Cores that Ray gives out there.")
    gpus: float
    trouble: str = Field(description="Why nothing else is known; empty if it has answered.")
    packages: dict[str, str | None] = Field(
        description="Package to its version; null if it is not there."
    )
    code: str | None = Field(description="Version of weighbridge.")
    torch_gpus: Count | None = Field(description="How many torch sees.")
    torch_trouble: str = Field(description="Why torch could not be asked.")
    reads: bool | None = Field(description="Whether the checkpoint folder is shared.")
    writes: bool | None = Field(description="Whether it can be written.")
    missing_modules: list[str] | None = Field(
        description="Modules of one's own that the study names and that are not found."
    )


class Node(Driver):
    """The same on a node of the cluster."""

    room: Count = Field(description="Workers that fit.")


class Finding(Shape):
    """Something that is wrong, with the way out."""

    text: str = Field(description="What it is, and what to do.")
    nodes: list[str] = Field(description="Empty for the cluster as a whole.")


class RayDoctor(Printed):
    """Whether the nodes of a cluster have what workers need."""

    document: Literal["ray.doctor"]
    driver: Driver = Field(description="This machine.")
    database: str = Field(description="What it is and holds.")
    room: Count = Field(description="Workers that fit in all.")
    nodes: list[Node] = Field(description="A node each.")
    findings: list[Finding] = Field(description="What is wrong.")


SHAPE = RayDoctor
