"""What shapes are made of."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from storage.states import RunState


class Shape(BaseModel):
    """A JSON object with these keys and no others."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Printed(Shape):
    """All that a verb prints."""

    format: Literal[1] = Field(
        description="Rises when a key goes or changes its meaning; new keys may come at any time."
    )


class Next(Shape):
    """What a user would do now."""

    command: str = Field(description="As it is typed in a shell.")
    why: str | None = Field(description="What it is for; null where that is plain.")


Seconds = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Moment = Annotated[AwareDatetime, Field(description="ISO 8601, in UTC.")]
Params = Annotated[dict[str, Any], Field(description="Parameter to value.")]
States = Annotated[
    dict[RunState, Count], Field(description="State to the number of runs that are in it.")
]
