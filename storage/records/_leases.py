"""Leased runs, and who holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from storage.records._studies import InitialNetwork


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A leased run with all a worker must know of it.

    Attributes:
        key: Of the run, the same in every database that it comes into.
        params: The point as canonical JSON; addresses what is random in the run.
        written: The point as JSON with whole numbers whole, as the run is to be trained with.
        until_epoch: Up to where it is to be trained: its next rung, or all epochs.
        checkpoints: Paths and epochs to go on from, newest first; empty to begin.
        initial: The network that it begins from; None: all of it begins as always.
        pack_key: What it has in common with runs that may share its pack, its segment included.
        recorded: Of a training function's run: the last epoch that earlier attempts have left.
        parent: Run whose state the oldest checkpoint is, if it goes on from another one's.
    """

    run: int
    token: int
    attempt: int
    key: str
    search: str
    role: str
    weighting: str
    params: str
    written: str
    seed: int
    until_epoch: int
    checkpoints: Sequence[tuple[str, int]]
    initial: InitialNetwork | None = None
    pack_key: str = ""
    recorded: int = 0
    parent: int | None = None

    @property
    def epochs_left(self) -> int:
        """Epochs of this attempt, if it goes on from its newest checkpoint."""
        return self.until_epoch - (self.checkpoints[0][1] if self.checkpoints else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What a claim brought, and what kept it from more.

    Attributes:
        exhausted: The study's limit that refused a run: ``epochs``, ``device_s`` or ``money``;
            empty if none did.
        barred: Searches that were passed over, with the limit of theirs that refused a run.
    """

    claims: Sequence[Claim] = ()
    exhausted: str = ""
    barred: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A driver that holds leases: a process that can be told alive or dead on its own host."""

    host: str
    boot_id: str
    pid: int
    process_start: str
