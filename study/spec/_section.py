"""What sections of a spec are made of: frozen values that refuse unknown keys, and bounds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from study.spec._findings import MOST_OF_A_NAME, shown_value

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def plain_name(value: str) -> str:
    """The same, if it can name a study or a search.

    Raises:
        ValueError: The rule, what was found, and what to do.
    """
    if len(value) > MOST_OF_A_NAME:
        raise ValueError(
            f"must have at most {MOST_OF_A_NAME} characters. Got {len(value):,}: "
            f"{shown_value(value)}. Shorten it."
        )
    if not _NAME.fullmatch(value):
        raise ValueError(
            "must be letters, digits, dots, dashes and underscores, a letter or digit first. "
            f"Got {shown_value(value)}. Change it."
        )
    return value


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError(f"must be printable text. Got {shown_value(value)}. Change it.")
    return value


def _different(values: list[float]) -> list[float]:
    if len(set(values)) < len(values):
        raise ValueError(
            f"must not repeat a value. Got {shown_value(values)}. Drop the second one."
        )
    return values


PositiveInt = Annotated[int, Field(gt=0, le=10**9, strict=True)]
UpTo1000 = Annotated[int, Field(gt=0, le=1000, strict=True)]
Finite = Annotated[float, Field(allow_inf_nan=False, strict=True)]
Positive = Annotated[Finite, Field(gt=0)]
Quantity = Annotated[Positive, Field(le=1e12)]
Duration = Annotated[Positive, Field(le=1e9)]
NotNegative = Annotated[Finite, Field(ge=0)]
SecondsFrom0 = Annotated[Finite, Field(ge=0, le=1e9)]
Flag = Annotated[bool, Field(strict=True)]
Value = TypeVar("Value", bound=float)
Different = Annotated[list[Value], AfterValidator(_different)]
Name = Annotated[str, AfterValidator(plain_name)]
Printable = Annotated[str, AfterValidator(_printable)]
Seed = Annotated[int, Field(ge=0, lt=2**31, strict=True)]


class Section(BaseModel):
    """A table of the spec."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class WrittenSection(Section):
    """A table that is stored as it was written, without what it does not say."""

    @model_serializer(mode="wrap")
    def _as_written(self, plain_of: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: v for key, v in plain_of(self).items() if key in self.model_fields_set}


def told_by(types: type | tuple[type, ...], then: str, otherwise: str) -> Discriminator:
    """Tells the forms of a value apart by its type; they are tagged in angle brackets."""
    return Discriminator(lambda value: then if isinstance(value, types) else otherwise)


def kind_by(key: str, *kinds: str, default: str = "") -> Discriminator:
    """Tells kinds of a table apart by a key of it; each is tagged by its name in angle brackets."""

    def tag(value: object) -> str | None:
        if isinstance(value, Section):
            return f"<{getattr(value, key)}>"
        if not isinstance(value, Mapping):
            return f"<{kinds[0]}>"  # it says that this is no table
        kind = value.get(key, default)
        return f"<{kind}>" if isinstance(kind, str) and kind in kinds else None

    return Discriminator(
        tag,
        custom_error_type="unknown_kind",
        custom_error_message=f"{key} must be one of {', '.join(kinds)}",
    )
