"""How much of a problem a study asks: which tasks, and which share of labels they keep.

Three forms ask several studies at once: `tasks = "pairs"`, and lists of shares and of noise rates.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, ValidationInfo

from study.spec._findings import shown_value
from study.spec._section import Different, Positive, Printable, told_by
from study.spec.label_noise import makes_several

PAIRS = "pairs"
_Of = TypeVar("_Of", bound=Hashable)


def _two_or_more(values: list[_Of], info: ValidationInfo) -> list[_Of]:
    if len(values) < (1 if info.data.get("trainer") else 2):
        raise ValueError(
            f"must be two tasks or more. Got {shown_value(values)}. Add one; of each task alone "
            "the baseline is trained."
        )
    if len(set(values)) < len(values):
        raise ValueError(f"must not repeat a task. Got {shown_value(values)}. Drop the second one.")
    return values


def _form(value: object) -> str:
    if isinstance(value, Mapping):
        return "<table>"
    return "<list>" if isinstance(value, Sequence) and not isinstance(value, str) else "<number>"


def _pairs(value: object) -> object:
    if value != PAIRS:
        raise ValueError(
            f'must be a list of tasks, or "{PAIRS}". Got {shown_value(value)}. Write '
            '`["left", "right"]`.'
        )
    return value


_Share = Annotated[Positive, Field(le=1)]
Fractions = Annotated[
    Annotated[_Share, Tag("<number>")]
    | Annotated[Different[_Share], Field(min_length=1), Tag("<list>")]
    | Annotated[dict[str, _Share], Tag("<table>")],
    Discriminator(_form),
]
"""One share for all tasks, shares of some, or several of which each makes a study."""
Tasks = Annotated[
    Annotated[Literal["pairs"], BeforeValidator(_pairs), Tag("<word>")]
    | Annotated[list[Printable], AfterValidator(_two_or_more), Tag("<list>")],
    told_by(list, "<list>", "<word>"),
]
"""Some tasks, or all pairs of which each makes a study."""


def asks_several(spec: Any) -> bool:
    """Whether a `StudySpec` asks several studies at once."""
    several_labels = isinstance(spec.train_fraction, list) or makes_several(spec.label_noise)
    return spec.tasks == PAIRS or several_labels
