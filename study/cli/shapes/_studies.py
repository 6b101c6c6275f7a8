"""What `compare` says of several studies."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from study.cli.shapes._compared import Difference, Diverged, Ends, RowKind, Verdict
from study.cli.shapes._shape import Count, Params, Seconds, Shape, Share


class StudySummary(Shape):
    """One of the studies."""

    label: str = Field(description="How it is called here.")
    problem: str
    network: str
    n_seeds: Count
    finished_runs: Count
    planned_runs: Count
    sealed: bool
    counts: bool = Field(description="Whether a method has a final value in it.")


class InStudy(Ends):
    """A method in one study; `low` and `high` are of `value_test`, over seeds."""

    search: str
    value_test: float | None = Field(description="Why it is null is in `kind`.")
    diverged: Diverged
    kind: RowKind
    n_seeds: Count
    n_trials: Count
    final: bool = Field(description="Whether no outstanding run can change it.")
    cost_solo_s: Seconds
    cost_epochs: Count
    params: Params


class Method(Shape):
    """A method in all studies that have it."""

    method: str = Field(description="What it is called in all studies.")
    title: str
    weighting: str
    by_study: dict[str, InStudy]


class Standing(Ends):
    """A method over all studies that count; `low` and `high` are of `mean`, over problems."""

    method: str
    title: str
    mean_rank: float = Field(description="1 is best.")
    mean: float | None = Field(description="Of its values, over problems.")
    diverged: Diverged
    iqm: float | None = Field(description="Mean of the middle half; null below eight values.")
    gaps: Annotated[
        dict[str, float | None],
        Field(description="Study to how far it is from the best there; null if it diverged."),
    ]
    best_share: Share = Field(description="Share of problems in which it is best.")
    near_share: Share | None = Field(description="Null without a margin.")


class Ranking(Shape):
    """The mean ranks, and what they can tell."""

    n_problems: Count
    critical_difference: float | None = Field(description="Null with one problem.")
    widest: float = Field(description="How far apart mean ranks can lie at most.")
    apart: list[list[str]] = Field(description="Pairs that are told apart, the better one first.")
    problems_to_tell: Count | None = Field(
        description="About how many problems tell the first from the last."
    )
    standings: list[Standing] = Field(description="Best mean rank first.")


class OverProblems(Ends):
    """The subject minus another method, over problems and in each study."""

    a: str
    b: str
    difference: float | None = Field(description="Mean over problems.")
    level: float | None
    n_compared: Count = Field(description="Comparisons that the interval was adjusted for.")
    verdict: Verdict = Field(description="What the whole interval says of `a`.")
    p_better: Share | None = Field(description="Share of pairs of seeds in which `a` is better.")
    n_problems: Count
    problems_to_decide: Count | None = Field(
        description="Null where it is decided, or not to be told."
    )
    by_study: dict[str, Difference]


class Transferred(Ends):
    """A setting in the study that had no part in choosing it."""

    method: str
    params: Params
    value_test: float | None = Field(description="Of the setting there.")
    diverged: Diverged
    price: float | None = Field(description="Over what tuning on this study reaches.")


class OneSetting(Ends):
    """The setting that is best on the other studies; `low` and `high` are of `price`."""

    title: str
    n_common: Count = Field(description="Settings that were tried in all studies.")
    price: float | None = Field(
        description="Mean over problems of what it costs not to tune on the study."
    )
    by_study: dict[str, Transferred]


class PairTable(Shape):
    """What a method comes to on each pair of tasks, with one share of labels."""

    problem: str
    method: str
    labels: str = Field(description="Which share of training samples keeps its label, in words.")
    tasks: list[str] = Field(description="Of rows and of columns.")
    values: list[list[float | None]] = Field(
        description="The objective on test, either way round; null of a task itself, where no "
        "study asked, and without a final value."
    )
