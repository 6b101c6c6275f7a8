"""``weighbridge workers --json``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from study.cli.shapes._shape import Count, Moment, Printed, Seconds, Shape, Share


class Host(Shape):
    """The workers of one host, of those that are listed."""

    host: str
    workers: Count = Field(description="Its workers.")
    busy: Count = Field(description="Of them, those that do anything now.")
    attempts: Count
    lost: Count = Field(description="Attempts that were given up, or whose lease was lost.")
    epochs: Count
    device_s: Seconds


class Worker(Shape):
    """A worker process."""

    worker: int
    host: str
    device: str = Field(description="`cpu`, or the name of a GPU.")
    does: Literal["trains", "starts or calibrates", "idle or gone"] = Field(
        description="What it does now."
    )
    runs: list[int] = Field(description="Those that it trains now.")
    attempts: Count
    lost: Count
    epochs: Count
    epochs_per_min: float | None = Field(description="Since its start; null at the very start.")
    device_s: Seconds
    utilisation: Share | None = Field(
        description="`device_s` as a share of the time from `started` to `last_seen`."
    )
    started: Moment
    last_seen: Moment = Field(description="When it last began or ended an attempt.")


class Lease(Shape):
    """A run that a driver holds for a worker."""

    run: int
    worker: int | None
    holder_host: str = Field(description="Host of the driver, which renews the lease.")
    holder_pid: int = Field(description="Its process there.")
    since: Moment
    epochs: Count = Field(description="That the run has reached.")
    until: Moment | None = Field(description="When it runs out unless it is renewed.")
    left_s: float | None = Field(
        description="Until then by the clock of the database; negative if it has run out."
    )


class Workers(Printed):
    """Who trains for a study."""

    document: Literal["workers"]
    study: str
    n_workers: Count = Field(description="In all, those that have gone included.")
    n_leases: Count = Field(description="Runs that are held in all.")
    hosts: list[Host] = Field(description="A host each.")
    workers: list[Worker] = Field(description="The latest first; -n says how many.")
    leases: list[Lease] = Field(description="Those that run out first; -n says how many.")


SHAPE = Workers
