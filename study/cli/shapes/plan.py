"""``weighbridge plan --json``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from study.cli.shapes._forecast import Forecast, Range
from study.cli.shapes._shape import Count, Printed, Shape


class Metric(Shape):
    """A metric of a task."""

    name: str = Field(description="Of the metric.")
    title: str
    direction: Literal["min", "max"]
    unit: str
    share: bool = Field(description="Whether it is a share, from 0 to 1.")
    signed: bool = Field(description="Whether it may be below 0.")
    uses_truth: bool = Field(description="Whether it needs what is hidden from training.")


class Task(Shape):
    """A task of the problem."""

    name: str = Field(description="Of the task.")
    title: str
    loss: str = Field(description="Its loss.")
    metrics: list[Metric] = Field(description="The primary one first.")
    classes: int | None = Field(description="Of a sample's label; null where nobody has said.")


class Problem(Shape):
    """The problem's card."""

    name: str = Field(description="Of the problem.")
    title: str
    kind: str = Field(
        description="Whether its data is real, composed of real parts, derived or made up."
    )
    source: str = Field(description="Where the data comes from.")
    data_version: Any = Field(description="Changes whenever the data does.")
    tasks: list[Task]
    sizes: dict[str, int] = Field(description="Samples by split.")
    network: str
    convolutional: bool
    licence: str = Field(description="Of the data.")
    caveats: list[str] = Field(description="What to know of it.")
    packages: list[str] = Field(description="Needed for its data.")
    distinct: dict[str, int] = Field(
        description="Of splits whose samples share parts: how many share none."
    )
    free_options: list[str] = Field(
        description="Options that say where data lies or how it is read, and change no run."
    )
    images: Literal["none", "labelled", "dense"] = Field(
        description="Whether inputs are images, and a task has a target a pixel."
    )
    feature_maps: bool = Field(description="Whether the trunk ends in maps that heads pool.")
    missing: str = Field(description="What runs lack on this machine; empty if nothing.")


class Stage(Shape):
    """One stage of a search."""

    tuned: list[str] = Field(description="Parameters that it tunes.")
    expected_trials: Count = Field(description="At most so many.")
    kind: str = Field(description="Strategy.")
    sampler: str | None = Field(description="Of Optuna, with the strategy `optuna`.")
    options: dict[str, Any] = Field(description="Arguments of the sampler.")
    first: list[dict[str, Any]] = Field(description="Points that are tried before all others.")
    space: dict[str, Any] = Field(description="Parameter to its values or range, as in a spec.")
    refine: Count = Field(description="Rounds of refinement of a line.")
    trials: Count = Field(description="Points that a sampling strategy proposes.")
    round_size: Count = Field(description="Points that are proposed at once.")
    at: dict[str, Any] = Field(description="Values that it fixes.")
    stop: dict[str, Any] | None = Field(description="Rule that prunes trials; null without.")


class Search(Shape):
    """One search."""

    name: str = Field(description="Of the search.")
    role: str = Field(description="`baseline`, `search` or `function`.")
    weighting: str
    objective: str
    others: list[str] = Field(description="Objectives beside it, whose front is searched.")
    expected_trials: Count = Field(description="At most so many.")
    expected_runs: Count = Field(description="At most so many.")
    stages: list[Stage] = Field(description="One after the other.")


class Calibration(Shape):
    """What was measured of a network on some hardware."""

    hardware: str = Field(description="On which it was measured.")
    pack_size: Count = Field(description="Runs of a pack that it chose.")
    epoch_s: float = Field(description="Seconds of an epoch of such a pack.")
    run_step_ms: dict[str, float] = Field(description="Pack size to milliseconds a run and step.")


class Network(Shape):
    """Runs of one network and one engine."""

    engine: Literal["solo", "fused", "function"] | None = Field(
        description="Null where a calibration is to choose it."
    )
    reason: str = Field(description="Why this engine.")
    tasks: list[str]
    searches: list[str] = Field(description="Searches that train it.")
    runs_per_seed: Count = Field(description="At most.")
    pack_size: Count | None = Field(description="Null until a calibration finds it.")
    calibrations: list[Calibration] = Field(description="One for each hardware.")


class Packs(Shape):
    """How runs will be trained; at the top the network of all tasks."""

    engine: Literal["solo", "fused", "function"] | None = Field(
        description="Null where a calibration is to choose it."
    )
    reason: str = Field(description="Why this engine.")
    known_by: Literal["stored", "look", "spec", "card"] = Field(
        description="How the engine is known: stored with the study, by a look at the network, "
        "by the spec or by the card."
    )
    networks: list[Network] = Field(description="A network and engine each.")


class Seeds(Shape):
    """Seeds that resolve a difference; null: above 10,000."""

    seeds: Count | None = Field(description="About so many.")
    seeds_low: Count | None = Field(description="Lower end of its 95 % interval.")
    seeds_high: Count | None = Field(description="Upper end.")


class PairNeeds(Seeds):
    """The same for one pair of methods."""

    a: str
    b: str


class TrialNeeds(Shape):
    """Trials that come within the margin of the search's end."""

    search: str
    trials: float | None = Field(description="Expected number; null where it is not told.")
    of: Count = Field(description="Trials that the search has.")


class Resolve(Shape):
    """What it takes to resolve a difference, by a pilot."""

    pilot: str = Field(description="Study whose seeds tell it.")
    half_width: float = Field(description="What is to be resolved, in the unit of the objective.")
    objective: str
    unit: str
    pilot_seeds: Count = Field(description="Seeds of the pilot.")
    pilot_half_width: float | None = Field(description="What those resolve.")
    seeds: Seeds = Field(description="For a typical pair of methods.")
    seeds_of_hardest: Seeds = Field(description="For the pair that takes most.")
    pairs: list[PairNeeds] = Field(description="All pairs of the pilot.")
    trials: list[TrialNeeds] = Field(description="By search.")
    seed_list: list[int] | None = Field(description="Null where no number of seeds is enough.")
    forecast: Forecast | None = Field(description="Of a study of so many seeds.")


class Version(Shape):
    """One version of the study that may fit."""

    what: str = Field(description="What is cut, in words.")
    seeds: list[int] = Field(description="That are left.")
    every: Count = Field(description="Of how many points of a grid one is kept.")
    halving: bool = Field(description="Whether rounds are halved at rungs.")
    cost: Range = Field(description="In the unit of the budget.")
    surely: bool = Field(description="Whether the upper end of its cost fits, too.")
    runs: float = Field(description="From now on.")
    half_width: float | None = Field(
        description="To what it tells two methods apart; null without a pilot."
    )
    too_few_trials: list[str] = Field(description="Methods with fewer trials than it takes.")
    toml: str = Field(description="How it is written in a spec.")


class Fitting(Shape):
    """Versions of the study that fit in a budget."""

    limit: float = Field(description="The budget.")
    unit: str = Field(description="Of the budget.")
    options: list[Version] = Field(description="What fits, the best first.")
    cheapest: Version | None = Field(description="The cheapest of all if nothing fits.")


class Plan(Printed):
    """What will run, and what it will cost."""

    document: Literal["plan"]
    study: str
    problem: Problem = Field(description="Its card.")
    fingerprint: str = Field(description="Of what a stored study may not change.")
    notices: list[str]
    seeds: list[int] = Field(description="Of all searches.")
    epochs: Count = Field(description="Of each run.")
    expected_runs: Count = Field(description="At most so many.")
    expected_epochs: Count = Field(description="At most so many.")
    searches: list[Search]
    packs: Packs = Field(description="Engines and packs.")
    findings: list[str] = Field(description="What would fail.")
    code_note: str = Field(
        description="What has changed of the code that has trained; empty if nothing has."
    )
    forecast: Forecast
    unfair: list[str] = Field(description="What is unfair by construction, a sentence each.")
    resolve: Resolve | None = Field(description="With --resolve.")
    budget: Fitting | None = Field(description="With --budget.")


SHAPE = Plan
