"""Parts that documents of `compare` share: objectives, intervals, differences."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from study.cli.shapes._shape import Count, Shape, Share

CostAxis = Literal["solo_s", "as_run_s", "epochs", "samples", "flops", "runs", "energy_j", "money"]
RowKind = Literal["confirmed", "cross-fit", "same-seed", "zero line", "none yet", "none"]
Verdict = Literal["better", "worse", "comparable", "undecided"]
ByMetric = Annotated[dict[str, float | None], Field(description="`TASK METRIC` to a number.")]
Diverged = Annotated[
    bool,
    Field(description="Whether a run behind it diverged: then its values are null, and worst."),
]


class Objective(Shape):
    """What methods are ranked by."""

    name: str = Field(description="`delta_m`, or TASK.METRIC.")
    direction: Literal["min", "max"]
    unit: str = Field(description="Of its values; empty if there is none. Of Δm `%`.")


class Ends(Shape):
    """A 95 % interval; both ends are null where nothing tells it, such as with one seed."""

    low: float | None
    high: float | None


class Difference(Ends):
    """Test value of method `a` minus that of method `b`, in the objective's unit."""

    a: str = Field(description="Search of the first method.")
    b: str = Field(description="Search of the second; `stl` for the single-task networks.")
    difference: float | None = Field(description="Null if a run behind it diverged.")
    level: float | None = Field(
        description="Of the interval: above 0.95 where several methods are compared (Holm)."
    )
    df: float | None = Field(description="Degrees of freedom behind it.")
    standard_error: float | None = Field(description="Of the difference.")
    basis: Literal["paired", "pooled", "unpaired"] = Field(
        description="Over common seeds, over the best trials of both, or without common seeds."
    )
    n_seeds: Count
    n_compared: Count = Field(description="Comparisons that the interval was adjusted for.")
    verdict: Verdict = Field(description="What the whole interval says of `a`.")
    margin: float | None = Field(description="Least difference that matters; null without one.")
    matters: bool | None = Field(
        description="Whether it is beyond the margin; null while the interval has both sides."
    )
    resolution: float | None = Field(description="Half the width of the interval.")
    seeds_to_decide: Count | None = Field(
        description="Null where it is decided, nothing tells it, or 10,000 are not enough."
    )
    p_better: Share | None = Field(description="Share of pairs of seeds in which `a` is better.")
    sign_flip_p: Share | None = Field(description="p-value that assumes no distribution.")
    correlation: float | None = Field(description="Of both over common seeds.")
    correlation_low: float | None = Field(description="Lower end of its 95 % interval.")
    correlation_high: float | None = Field(description="Upper end.")
    seeds_saved: float | None = Field(description="Share of seeds that pairing saves.")
