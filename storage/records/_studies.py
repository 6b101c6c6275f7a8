"""Studies and their searches as stored, and what was measured for them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRecord:
    """A study as stored.

    Attributes:
        spec: The study's spec as plain values, with defaults for keys that came later.
        card: The problem's card as plain values; under ``weightings`` the titles of these.
        fingerprint: Hash of what an extension must not change.
        birth: Names this study and no other, here or anywhere: 32 hex digits.
        key_name: What its run keys call it; the same all its life, whatever it is named.
        first_name: Its name at its birth, by which random draws are addressed.
        plan: Hash of all that decides what its searches do.
        sealed_at: From when on its test values are not shown; None if they always were.
        unsealed_at: From when on they are shown again; None until then.
        paused_at: From when on none of its runs is handed out; None if they are.
        orders: Number of the last command that its drivers follow.
        stops: Of the last one that ended them.
        raised: Budgets that commands have raised above its file's: by search, empty for the study.
    """

    id: int
    name: str
    spec: Mapping[str, Any]
    card: Mapping[str, Any]
    fingerprint: str
    created_at: datetime
    birth: str
    key_name: str
    first_name: str
    plan: str
    sealed_at: datetime | None = None
    unsealed_at: datetime | None = None
    paused_at: datetime | None = None
    orders: int = 0
    stops: int = 0
    raised: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def sealed(self) -> bool:
        """Whether no test value is shown."""
        return self.sealed_at is not None and self.unsealed_at is None

    @property
    def paused(self) -> bool:
        """Whether none of its runs is handed out."""
        return self.paused_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyName:
    """A study by its name: what a list of very many can know of each.

    Attributes:
        birth: As of its record.
        paused: Whether none of its runs is handed out.
    """

    id: int
    name: str
    birth: str
    paused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A change of a stored study's spec.

    Attributes:
        accepted: Whether it was made; else it was asked for and refused.
        spec: What it was before; of a refused change, what it should have become.
        runs_ended: Runs that had ended by then, with whatever result.
    """

    made_at: datetime
    accepted: bool
    spec: Mapping[str, Any]
    runs_ended: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InitialNetwork:
    """A network that runs begin from.

    Attributes:
        run_key: Key of the run that it is of.
        epoch: After which.
        path: Of its file, or its URL.
        sha256: Of the file's bytes, in hexadecimal.
    """

    run_key: str
    epoch: int
    path: str
    sha256: str

    def is_same(self, other: InitialNetwork) -> bool:
        """Whether it is the network of the same run after the same epoch, in whichever file."""
        return (self.run_key, self.epoch) == (other.run_key, other.epoch)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentNetworks:
    """What the runs of a search begin from: one network for all, or those of one trial, by seed.

    Attributes:
        shared: The network of all runs; None where each seed has its own.
        trial: Number of the trial, in the search that they are of, whose runs the networks are of.
        by_seed: Network of each seed.
    """

    shared: InitialNetwork | None = None
    trial: int | None = None
    by_seed: Mapping[int, InitialNetwork] = field(default_factory=dict)

    @property
    def networks(self) -> list[InitialNetwork]:
        """All of them."""
        return [*([] if self.shared is None else [self.shared]), *self.by_seed.values()]

    def of(self, seed: int) -> InitialNetwork | None:
        """The network of a seed's run; None where it is not known yet."""
        return self.shared or self.by_seed.get(seed)

    def replaced(self, new: InitialNetwork) -> Self:
        """The same with another file of a network."""
        if self.shared is not None:
            return replace(self, shared=new) if new.is_same(self.shared) else self
        found = {seed: new if new.is_same(one) else one for seed, one in self.by_seed.items()}
        return replace(self, by_seed=found)

    def to_text(self) -> str:
        """As it is stored."""
        if self.shared is not None:
            return json.dumps(asdict(self.shared))
        seeds = {str(seed): asdict(one) for seed, one in sorted(self.by_seed.items())}
        return json.dumps({"trial": self.trial, "seeds": seeds})

    @classmethod
    def of_text(cls, text: str | None) -> Self | None:
        """What `to_text` has written; None where nothing was."""
        if text is None:
            return None
        plain = json.loads(text)
        if "seeds" not in plain:
            return cls(shared=InitialNetwork(**plain))
        seeds = {int(seed): InitialNetwork(**one) for seed, one in plain["seeds"].items()}
        return cls(trial=plain["trial"], by_seed=seeds)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRecord:
    """One search of a study.

    Attributes:
        role: ``baseline`` for single-task ones.
        engine: ``solo`` or ``fused``, fixed before its first run; None until then.
        engine_reason: Why it is that one.
        stack_rows: Rows of each of its stacks on a GPU, fixed by the first calibration; None until
            then.
        initial: What its runs begin from, fixed before its first run; None until then, and where
            they begin as always.
    """

    id: int
    name: str
    role: str
    weighting: str
    position: int
    engine: Literal["solo", "fused"] | None = None
    engine_reason: str = ""
    stack_rows: int | None = None
    initial: ParentNetworks | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkLook:
    """What a worker has found when it looked at a study's network.

    Attributes:
        convolutional: It has convolutions.
        obstacle: Why its runs cannot be stacked; empty if they can.
        streamed: Its data is decoded batch by batch.
        unsaved: Why its runs cannot be saved; empty if they can.
    """

    convolutional: bool
    obstacle: str
    streamed: bool
    unsaved: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What was measured of one shape of network on one kind of hardware.

    Attributes:
        shape: Hash of what decides a training step's time: problem, network, tasks, batch size...
        pack_size: Most runs that are trained together.
        epoch_s: Training and validation of one epoch of one run alone.
        run_step_ms: Pack size -> time of a training step divided by the runs in the pack; 1 is
            one run alone.
    """

    shape: str
    hardware: str
    pack_size: int
    epoch_s: float
    run_step_ms: Mapping[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochTiming:
    """What an epoch of a search's runs takes alone, as it was timed once.

    Attributes:
        sweep: Searches of one sweep were timed one right after the other.
        hardware: As in `Calibration`.
        epoch_s: Training and validation of one epoch of one run.
        charged_s: What epochs of the search are charged with on that hardware when they are
            recorded; what they cost in the end is this in the ratio of all that was timed.
    """

    search_id: int
    sweep: int
    hardware: str
    epoch_s: float
    charged_s: float
