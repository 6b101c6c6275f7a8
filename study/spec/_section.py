"""What sections of a spec are made of: frozen values that refuse unknown keys, and bounds."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

PositiveInt = Annotated[int, Field(gt=0, le=10**9, strict=True)]
UpTo1000 = Annotated[int, Field(gt=0, le=1000, strict=True)]
Finite = Annotated[float, Field(allow_inf_nan=False, strict=True)]
Positive = Annotated[Finite, Field(gt=0)]
Amount = Annotated[Positive, Field(le=1e12)]
Seconds = Annotated[Positive, Field(le=1e9)]
NotNegative = Annotated[Finite, Field(ge=0)]
SecondsFrom0 = Annotated[Finite, Field(ge=0, le=1e9)]
Seed = Annotated[int, Field(ge=0, lt=2**31, strict=True)]


class Section(BaseModel):
    """A table of the spec."""

    model_config = ConfigDict(frozen=True, extra="forbid")
