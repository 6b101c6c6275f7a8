"""[compare]: how methods are compared, and what is claimed of them before there are results."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from study.spec._findings import shown_value
from study.spec._section import Flag, Positive, Printable, Section

CLAIMS = ("C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9")
"""Claims that are known by their names."""


class CompareSpec(Section):
    """How methods are compared; fixed with the study."""

    margin: Positive = Field(1.0, description="Difference in Δm points that matters.")
    select_epoch: str = Field(
        "best",
        description="Epoch that counts: `best` on validation, `last`, or `mean_last_5` (any K). "
        "A trainer may have `last` as its own default.",
    )

    claim: Printable | None = Field(
        None,
        description="The primary claim, before there are results: one of "
        f"{', '.join(CLAIMS)}, or a sentence.",
    )
    sealed: Flag = Field(
        False, description="Whether test values are shown only after `weighbridge unseal`."
    )

    @field_validator("claim")
    @classmethod
    def _a_claim(cls, value: str | None) -> str | None:
        if value is not None and (not value.strip() or len(value) > 1_000):
            raise ValueError(
                f"must say something, in at most 1000 characters. Got {shown_value(value)}. "
                'Write a sentence, or name a claim, such as `claim = "C1"`.'
            )
        if value is not None and re.fullmatch(r"[Cc]\d+", value) and value not in CLAIMS:
            raise ValueError(
                f"must be one of {', '.join(CLAIMS)}, or a sentence. Got {shown_value(value)}. "
                "`docs/reference/measures.md` says what they claim."
            )
        return value

    @field_validator("select_epoch")
    @classmethod
    def _known_rule(cls, value: str) -> str:
        if not re.fullmatch(r"best|last|mean_last_[1-9][0-9]{0,8}", value):
            raise ValueError(
                f"must be best, last or mean_last_K with K above 0. Got {shown_value(value)}. "
                "Write `mean_last_5` for the mean of the last five epochs."
            )
        return value
