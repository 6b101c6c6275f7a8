"""The section [budget] of a study.toml, and of each of its searches."""

from __future__ import annotations

from pydantic import Field

from study.spec._section import Duration, PositiveInt, Quantity, Section


class BudgetSpec(Section):
    """Limits; a study or search that reaches one stops there and can be continued."""

    trials: PositiveInt | None = Field(None, description="Trials, baseline excluded.")
    epochs: PositiveInt | None = Field(None, description="Epochs of all runs.")
    device_s: Quantity | None = Field(None, description="Device-seconds of all attempts.")
    money: Quantity | None = Field(
        None, description="Money for the device time of all attempts, at the prices in [cost]."
    )
    wall_s: Duration | None = Field(
        None,
        description="Seconds of one `weighbridge run`; then what runs is saved at the epoch's end.",
    )
