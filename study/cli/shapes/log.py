"""``weighbridge log --json``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from storage.states import RunState
from study.cli.shapes._shape import Count, Moment, Params, Printed, Shape


class Run(Shape):
    """Which run it is."""

    run: int
    search: str
    trial: Count
    params: Params
    seed: int


class Attempt(Shape):
    """One execution of a run on a worker."""

    attempt: int = Field(description="Counted from 1 for each run.")
    ended_as: str = Field(description="`running` while it does.")
    failure: str | None = Field(description="Class of what went wrong; null if nothing did.")
    failure_text: str | None
    traceback: str
    started: Moment
    ended: Moment | None
    epochs: Count = Field(description="That it has trained.")
    host: str | None = Field(description="Null if it is not known.")
    code_fingerprint: str | None = Field(description="Of the user's own modules.")


class RunAttempt(Attempt, Run):
    """An attempt with its run."""


class Cause(Shape):
    """Attempts of one search that failed for one cause."""

    attempts: Count
    runs: Count = Field(description="At how many runs.")
    last: RunAttempt = Field(description="The last of these attempts.")


class Round(Shape):
    """What was trained until training began anew, or ended."""

    round: int = Field(description="From 1; runs of weightings have one.")
    first_epoch: int = Field(description="Epochs are counted over all rounds.")
    last_epoch: int = Field(description="So far.")
    train_s: float = Field(description="Of training.")
    validation_s: float = Field(description="Of validation, Monte-Carlo passes included.")
    grad_evals: Count = Field(description="Gradients of a loss on a batch.")


class Output(Shape):
    """A file of what a run has printed."""

    place: str = Field(description="Path or URL of the file.")
    host: str = Field(description="Whose disk it may be on; empty if it is not known.")
    text: str | None = Field(description="Null if it cannot be reached from here.")


class LogCauses(Printed):
    """What runs of a study failed for: the latest ten causes."""

    document: Literal["log.causes"]
    study: str
    causes: list[Cause] = Field(description="The latest first.")


class LogRun(Run, Printed):
    """All attempts at one run."""

    document: Literal["log.run"]
    study: str
    state: RunState = Field(description="Where the run stands.")
    reason: str = Field(description="What the run has ended with; empty if all is well.")
    attempts: list[Attempt] = Field(description="In the order in which they were made.")
    rounds: list[Round] = Field(description="In order; none before the first epoch.")
    output: list[Output] = Field(description="What it has printed.")


SHAPE = LogCauses | LogRun
