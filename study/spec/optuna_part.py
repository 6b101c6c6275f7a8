"""A sampler or a pruner of Optuna as a spec has it: a table of its name and its options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from study.spec._section import WrittenSection

OptunaName = Annotated[str, Field(min_length=1, max_length=64)]


class OptunaPart(WrittenSection, extra="allow"):
    """A class of Optuna by name; all other keys are its options."""

    optuna: OptunaName

    @property
    def options(self) -> Mapping[str, Any]:
        """Arguments of the class."""
        return self.__pydantic_extra__ or {}

    def __str__(self) -> str:
        return self.optuna
