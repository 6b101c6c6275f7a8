"""What a user may say about a Ray cluster, in plain values."""

from __future__ import annotations

from dataclasses import dataclass

from study.errors import BadSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class RayOptions:
    """Where Ray is, and what a worker gets of it.

    Attributes:
        address: ``auto``, ``HOST:PORT`` or ``ray://HOST:PORT``. None: the cluster that this process
            runs on (a submitted job), else a Ray of its own on this machine.
        cpus_per_worker: Cores that Ray keeps for a worker; how many threads it computes with is
            the spec's affair.
        gpus_per_worker: A share of a GPU, or several.

    Raises:
        BadSpec: A worker would get nothing, or less.
    """

    address: str | None = None
    cpus_per_worker: float = 1.0
    gpus_per_worker: float = 0.0

    def __post_init__(self) -> None:
        if self.cpus_per_worker <= 0:
            raise BadSpec(
                f"A worker needs a part of a core. Got --cpus-per-worker {self.cpus_per_worker:g}. "
                "Give 1, or less to have several workers share a core."
            )
        if self.gpus_per_worker < 0:
            raise BadSpec(
                f"A worker has no GPU, or some of one. Got --gpus-per-worker "
                f"{self.gpus_per_worker:g}. Give 0, a share such as 0.5, or a whole number."
            )
        if self.gpus_per_worker > 1 and self.gpus_per_worker != int(self.gpus_per_worker):
            raise BadSpec(
                f"Ray gives out shares of one GPU, or whole ones. Got --gpus-per-worker "
                f"{self.gpus_per_worker:g}. Give 0.5, 1 or 2."
            )
