"""[[followup]]: what is asked of the networks of finished searches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)
from pydantic_core import PydanticCustomError

from study.spec._findings import shown_value
from study.spec._section import Different, Name, Positive, PositiveInt, Section
from trainers.problems.corruptions import KINDS, SEVERITIES
from trainers.suggestions import did_you_mean

_FROM = "from"
_STL = "stl"


def _kinds(values: list[str]) -> list[str]:
    for value in values:
        if value not in KINDS:
            raise ValueError(
                f"must name kinds of corruption. Got {shown_value(value)}."
                f"{did_you_mean(value, KINDS)} There are {', '.join(KINDS)}."
            )
    if len(set(values)) < len(values):
        raise ValueError(f"must not repeat a kind. Got {shown_value(values)}. Drop the second one.")
    return values


def _severity(value: int) -> int:
    if value not in SEVERITIES:
        raise PydanticCustomError(
            "literal_error",
            "Input should be {expected}",
            {"expected": "a whole number from 1 to 5"},
        )
    return value


def _not_stl(value: str) -> str:
    if value == _STL:
        raise ValueError(
            f"must not be `{_STL}`: `{_STL}/TASK` are the single-task networks. Choose another."
        )
    return value


class FollowupSpec(Section):
    """Heads of each search's best networks, fine-tuned on corrupted images over a frozen trunk."""

    model_config = ConfigDict(populate_by_name=True)

    parents: Literal["winners"] = Field(
        alias=_FROM,
        description="Whose networks are followed up: those of each search's best trial, the "
        "single-task ones included, every seed.",
    )
    name: Annotated[Name, AfterValidator(_not_stl)] = Field(
        "corruptions", description="Name of the follow-up; its searches are `NAME/SEARCH`."
    )
    kinds: Annotated[list[str], Field(min_length=1), AfterValidator(_kinds)] | None = Field(
        None,
        description="Kinds of corruption; default: all 15 of Hendrycks & Dietterich, without those "
        "that move pixels where a task has a target a pixel.",
    )
    severities: Annotated[
        Different[Annotated[int, Field(strict=True), AfterValidator(_severity)]],
        Field(min_length=1),
    ] = Field([*SEVERITIES], description="Severities of each kind, from 1 to 5.")
    epochs: PositiveInt = Field(description="Epochs of each follow-up run.")
    lr: Annotated[Different[Positive], Field(min_length=1)] | None = Field(
        None,
        description="Learning rates of the heads, the best on validation counts; default: those of "
        "the baseline.",
    )

    @model_serializer(mode="wrap")
    def _as_written(self, plain_of: SerializerFunctionWrapHandler) -> dict[str, Any]:
        plain = plain_of(self)
        return {_FROM: plain.pop("parents", plain.get(_FROM)), **plain}


def unfit(spec: Any) -> str:
    """Why follow-ups do not go with the rest of a spec; empty if they do."""
    if not spec.followup:
        return ""
    if spec.function is not None:
        return (
            "`followup` begins from networks of a problem. Got it beside [function], whose "
            "networks are its own affair. Drop it."
        )
    if spec.keep.networks == "none":
        return (
            '`followup` needs networks that are kept. Got [keep] `networks = "none"`. Drop one '
            "of them."
        )
    if spec.baseline is None or spec.baseline.metrics is not None:
        found = "no [baseline]" if spec.baseline is None else "imported numbers in [baseline]"
        return (
            "`followup` compares networks with single-task ones, whose networks it needs. Got "
            f"{found}. Let the baseline be trained, or drop `followup`."
        )
    return _twins([part.name for part in spec.followup])


def _twins(names: Sequence[str]) -> str:
    twins = sorted({name for name in names if names.count(name) > 1})
    return (
        f"`followup`s must have different names. Got {', '.join(twins)} more than once. Give each "
        "its own `name`."
        if twins
        else ""
    )
