"""The section [cost]: what device time costs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Tag

from study.spec._section import NotNegative, Section, told_by

_Prices = Annotated[
    Annotated[NotNegative, Tag("<number>")] | Annotated[dict[str, NotNegative], Tag("<table>")],
    told_by(dict, "<table>", "<number>"),
]


class CostSpec(Section):
    """What device time costs, in any currency."""

    price_per_h: _Prices | None = Field(
        None,
        description="Price of a device-hour: one number, or a table by the devices' names, such as "
        '`{ cpu = 0.1, "NVIDIA A100" = 2.5 }`.',
    )
