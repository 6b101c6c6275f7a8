"""What `compare` says of the methods of one study."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from study.cli.shapes._compared import (
    ByMetric,
    CostAxis,
    Difference,
    Diverged,
    Ends,
    RowKind,
)
from study.cli.shapes._shape import Count, Params, Seconds, Shape, Share


class MethodRow(Ends):
    """One method: its winner, what that is worth on test, and what the search cost.

    `low` and `high` are of `value_test`, over seeds.
    """

    search: str = Field(description="`stl` for the single-task networks.")
    method: str = Field(description="As reports call it.")
    weighting: str
    n_trials: Count = Field(description="Planned ones.")
    n_runs: Count = Field(description="Planned ones, without those on fresh seeds.")
    n_diverged: Count = Field(description="Runs that diverged; their trials rank last.")
    cost_solo_s: Seconds = Field(
        description="What the method is charged with: start-up, training and validation of its "
        "planned runs, each as if alone, without those on fresh seeds and without what was lost. "
        "All that was paid is `device_s` of `status`."
    )
    cost_as_run_s: Seconds = Field(description="The same runs as they were trained, in packs.")
    cost_epochs: Count
    epoch_s: Seconds | None = Field(description="An epoch alone; null where it was not timed.")
    epoch_error_s: Seconds | None = Field(description="Standard error of `epoch_s`.")
    n_timings: Count
    confirm_solo_s: Seconds = Field(description="Of the runs on fresh seeds, each as if alone.")
    value_test: float | None = Field(description="By the objective; why it is null is in `kind`.")
    delta_m_test: float | None = Field(description="In percent, negative is better.")
    kind: RowKind = Field(description="What both rest on; `none yet` and `none`: nothing.")
    diverged: Diverged
    seed_sd: float | None = Field(description="Over seeds; null with one.")
    n_seeds: Count
    n_configurations: Count = Field(description="Trials behind the value.")
    winner_value: float | None = Field(description="Of `params` on the seeds that chose them.")
    metrics: ByMetric = Field(description="`TASK METRIC` to the mean test value.")
    params: Params = Field(description="Of the winner; empty if there is none.")
    notes: list[str] = Field(description="Remarks on this row.")
    winner_metrics: ByMetric = Field(description="Of the runs behind `winner_value`.")
    metric_points: ByMetric = Field(description="What each adds to `delta_m_test`, in points.")
    metric_shares: ByMetric = Field(description="Share of each in all that is added.")


class BreakEven(Shape):
    """The largest grid search in packs against a line search with each run trained alone."""

    verdict: Literal["cheaper", "dearer", "equal", "undecided"] = Field(
        description="Of the grid as run."
    )
    sentence: str = Field(description="The verdict with both numbers.")
    grid: str = Field(description="Search.")
    line: str = Field(description="Search.")
    grid_as_run_s: Seconds = Field(description="Device-seconds.")
    grid_solo_s: Seconds = Field(description="The same, each run as if alone.")
    line_as_run_s: Seconds = Field(description="Device-seconds.")
    line_solo_s: Seconds = Field(description="The same, each run as if alone.")
    line_solo_low_s: float | None = Field(description="Lower end, as sure as epochs were timed.")
    line_solo_high_s: float | None = Field(description="Upper end.")
    ratio: float | None = Field(
        description="`grid_as_run_s` by `line_solo_s`; null while one is missing."
    )
    speedup: float | None = Field(description="What packs save the grid.")
    needed_speedup: float | None = Field(description="What they would have to.")


class CostRatio(Ends):
    """What the subject's search has cost of the reference's; `low` and `high` are of `alone`."""

    alone: float = Field(description="In device-seconds, each run as if alone.")
    as_run: float = Field(description="As it was run.")
    epochs: float = Field(description="In epochs.")
    step_ratio: float | None = Field(description="Time of an epoch of both; null if not timed.")
    step_ratio_low: float | None = Field(description="Lower end.")
    step_ratio_high: float | None = Field(description="Upper end.")
    n_sweeps: Count = Field(description="How often both were timed.")


class Ratio(Ends):
    """A ratio of costs. What is infinite, as the quality is never reached, is null."""

    value: float | None = Field(description="Null if it is infinite.")
    never: list[Literal["value", "low", "high"]] = Field(description="Which are infinite.")


class CostToMatch(Shape):
    """What a search pays until it is, for good, no more than a margin worse than the reference."""

    search: str
    reference: str = Field(description="Search whose quality is to be matched.")
    axis: CostAxis
    margin: float
    target: float = Field(
        description="Value to reach: the final one of the reference and the margin."
    )
    reached: bool = Field(description="Whether it gets there for good.")
    cost: float | None = Field(description="Null if it is not reached.")
    reference_full: float = Field(description="What the whole search of the reference costs.")
    reference_arrival: float = Field(
        description="What the reference itself pays until it is there."
    )
    fair_ratio: Ratio = Field(description="Of `cost` and `reference_arrival`.")
    full_ratio: Ratio = Field(description="Of `cost` and `reference_full`.")
    never_share: Share | None = Field(
        description="Share of draws that do not get there; null with one seed."
    )


class SubGrid(Ends):
    """What a random part of the grid reaches."""

    n_points: Count = Field(description="Of the part.")
    value: float = Field(description="Expected on test, of the best point on validation.")


class Grid(Shape):
    """A grid over task weights, whole and in parts."""

    search: str
    n_points: Count = Field(description="Points that have a value.")
    step: float | None = Field(description="Null where weights are not evenly apart.")
    parts: list[SubGrid] = Field(description="All of it, a half, a quarter.")


class SparserGrids(Shape):
    """The subject against parts of the reference's grid."""

    sentence: str
    grid: Grid = Field(description="The grid of the reference.")
    differences: list[Difference]


class Untuned(Ends):
    """A method with its defaults: no tuning at all."""

    trial: Count = Field(description="The one with the defaults.")
    params: Params
    runs: list[int] = Field(description="Its runs on the seeds of the study.")
    value: float | None = Field(description="Mean on test.")
    diverged: Diverged
    cost_solo_s: Seconds


class Overtuning(Shape):
    """What the search lost on test by choosing on validation."""

    overtuning: float = Field(
        description="Mean over seeds: the end of the search behind its best incumbent."
    )
    by_seed: list[float] = Field(description="The same by seed.")
    gained: float = Field(description="What the search had gained on test.")
    ratio: float | None = Field(description="Of what was gained; null where nothing was.")


class Tuning(Shape):
    """What the search of a method was worth."""

    search: str
    untuned: Untuned | None = Field(description="Null if its defaults were not tried.")
    kept_defaults: bool = Field(description="Whether the search ended with them.")
    gain: Difference | None = Field(description="Tuned minus untuned; null if they were kept.")
    overtuning: Overtuning | None = Field(description="Null with one seed.")


class Reading(Shape):
    """One way to say who is ahead."""

    reading: str = Field(description="What is done, such as `mean over tasks`.")
    scale: Literal["objective", "delta_m", "rank"] = Field(description="What values are of.")
    ahead: list[str] = Field(
        description="Methods; several if they are equal, or if it is one or the other."
    )
    value: float | None = Field(description="Null where the reading has several.")
    next: list[str] = Field(description="Methods after them.")
    next_value: float | None = Field(description="Theirs.")


class Robustness(Shape):
    """Who is ahead if the same runs are read in other ways."""

    sentence: str
    winner: str = Field(description="Method with the best value.")
    n_ahead: Count = Field(description="Readings in which it is ahead.")
    readings: list[Reading] = Field(description="That by the objective first.")
    others: list[Difference] = Field(description="The winner minus each other method.")
