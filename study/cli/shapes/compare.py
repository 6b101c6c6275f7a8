"""``weighbridge compare --json``: of methods, of trials, at budgets, of several studies."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from study.cli.shapes._compared import CostAxis, Difference, Ends, Objective
from study.cli.shapes._front import Front
from study.cli.shapes._methods import (
    BreakEven,
    CostRatio,
    CostToMatch,
    MethodRow,
    Robustness,
    SparserGrids,
    Tuning,
)
from study.cli.shapes._optimizers import Optimizers
from study.cli.shapes._shape import Count, Printed, Shape, Share
from study.cli.shapes._studies import (
    Method,
    OneSetting,
    OverProblems,
    PairTable,
    Ranking,
    StudySummary,
)
from study.cli.shapes._trials import OtherObjective, Trial


class CompareMethods(Printed):
    """The methods of one study."""

    document: Literal["compare.methods"]
    study: str
    sentence: str
    objective: Objective
    break_even: BreakEven | None = Field(
        description="Null if runs share no packs, or one of both searches is missing."
    )
    finished_runs: Count
    planned_runs: Count
    notices: list[str]
    rows: list[MethodRow] = Field(description="Single-task networks first, then best first.")
    subject: str | None = Field(description="Search that the sentence is about.")
    reference: str | None = Field(description="Search with the largest grid over weights.")
    cost_ratio: CostRatio | None = Field(description="Null if one of both is missing.")
    differences: list[Difference]
    error_sources: list[str] = Field(
        description="What intervals hold and what they do not, a sentence each."
    )
    cost_to_match: list[CostToMatch] = Field(
        description="What each search pays for the quality of the reference."
    )
    sparser_grids: SparserGrids | None = Field(description="Null without a reference.")
    tuning: list[Tuning] = Field(
        description="What tuning was worth to each method; none while the study is sealed."
    )
    robustness: Robustness | None = Field(description="Null with fewer than two final values.")
    front: Front | None = Field(description="Null with one objective.")
    optimizers: Optimizers | None = Field(description="Null with one optimiser.")


class AtBudget(Ends):
    """One method at one budget; `low` and `high` are of `value`."""

    search: str
    method: str
    value: float | None = Field(description="Expected on test; null where it buys no winner.")
    share_spent: Share = Field(description="Of the cost of the whole search.")
    finished: bool = Field(description="Whether no run of its search is outstanding.")
    first_cost: float | None = Field(description="Of its first winner; null while there is none.")
    p_better: dict[str, float | None] = Field(description="By the other method's search.")
    rank: Count | None = Field(description="1 is best; null without a value.")
    rank_low: Count | None = Field(description="Its 2.5 % quantile.")
    rank_high: Count | None = Field(description="Its 97.5 % quantile.")


class EqualBudget(Shape):
    """All methods at one budget."""

    axis: CostAxis
    budget: float = Field(description="In the unit of the axis.")
    why: str = Field(description="Of a budget that was not asked for.")
    methods: list[AtBudget] = Field(description="Best first; those without a value last.")


class CompareBudgets(Printed):
    """The methods of one study at equal budgets."""

    document: Literal["compare.budgets"]
    study: str
    budgets: list[EqualBudget] = Field(description="The smallest first.")
    why_none: str = Field(description="Why there are no budgets; empty if there are.")


class CompareTrials(Printed):
    """The trials of a study of a training function."""

    document: Literal["compare.trials"]
    sentence: str
    study: str
    metric: str = Field(description="What trials are ranked by.")
    direction: Literal["min", "max", ""]
    others: list[OtherObjective] = Field(
        description="What `others` of its rows are, in this order; empty with one objective."
    )
    notices: list[str]
    rows: list[Trial] = Field(description="By search and number.")
    front: Front | None = Field(description="Null with one objective.")


class CompareStudies(Printed):
    """Several studies."""

    document: Literal["compare.studies"]
    sentence: str
    objective: Objective
    margin: float | None
    studies: list[StudySummary] = Field(description="In the order in which they were asked for.")
    methods: list[Method] = Field(description="Ranked ones first, the best mean rank first.")
    ranking: Ranking | None = Field(description="Null with fewer than two methods or studies.")
    differences: list[OverProblems]
    one_setting: list[OneSetting] = Field(
        description="What methods are worth that are tuned on the other studies."
    )
    pairs: list[PairTable] = Field(
        description="What methods come to on pairs of tasks, where studies ask several pairs."
    )
    differing: list[str] = Field(description="What sets the studies apart, a sentence each.")


SHAPE = CompareMethods | CompareBudgets | CompareTrials | CompareStudies
