"""What verbs print with ``--json`` that change a study."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from study.cli.shapes._shape import Count, Printed, Shape


class Change(Printed):
    """A study, and what of it was changed."""

    study: str
    changed: bool = Field(description="False if all was so already.")
    before: dict[str, Any] = Field(description="What the command changes, as it was.")
    after: dict[str, Any] = Field(description="The same as it is now.")


class Driver(Shape):
    """A process that trains the study, wherever it runs."""

    host: str
    pid: int = Field(description="Number of the process on that host.")


class Order(Change):
    """A change that drivers follow."""

    drivers: list[Driver] = Field(
        description="Those that hold runs of it; what is known to be gone is left out."
    )
    runs_held: Count = Field(description="Runs that these have in training.")
    runs_left_behind: Count = Field(
        description="Runs whose drivers have gone; the next `run` takes them up."
    )
