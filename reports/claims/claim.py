"""A claim with what a study says to it: one record for all of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final, Literal

from reports._importance import Importance
from reports.inference import Interval

_MOST_RANGES: Final = 40

Finding = Literal["supported", "not supported", "undecided", "not asked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One number that a claim rests on.

    Attributes:
        name: What it is, such as ``UW-SO minus EW``.
        value: NaN or infinite where it has none.
        interval: 95 % over seeds, wider in a family of comparisons; None where nothing tells it.
        unit: Of value and interval; empty if there is none.
        shown: How the value is formatted.
    """

    name: str
    value: float
    interval: Interval | None
    unit: str
    shown: str = "+.2f"

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold: numbers that are not finite become None."""
        known = self.interval
        return {
            "name": self.name,
            "value": self.value if math.isfinite(self.value) else None,
            "low": known and known.low,
            "high": known and known.high,
            "level": known and known.level,
            "unit": self.unit,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim.

    Attributes:
        name: ``C1``, as ``[compare] claim`` of a spec names it.
        states: What is claimed, as a sentence without its full stop.
        finding: What the intervals of `effects` say to it.
        said: Why, in a sentence or two; for ``not asked`` what the study would need.
        effects: The numbers that the finding goes by.
        would_decide: What would decide it; empty where it is decided or not asked.
        remarks: What must be known beside it.
        importances: What parameters explain, where the claim is about them.
        runs: Study to the ids of the runs that the effects are made of, rising.
    """

    name: str
    states: str
    finding: Finding
    said: str
    effects: tuple[Effect, ...] = ()
    would_decide: str = ""
    remarks: tuple[str, ...] = ()
    importances: tuple[Importance, ...] = ()
    runs: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def sentences(self) -> tuple[str, ...]:
        """All that there is to say, without the claim and its finding."""
        decides = [f"Would decide it: {self.would_decide}."] if self.would_decide else []
        explained = [f"What matters: {one.sentence}" for one in self.importances]
        rests = [f"Rests on runs {ranges(runs)} of {study}." for study, runs in self.runs.items()]
        return (self.said, *decides, *self.remarks, *explained, *rests)

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return {
            "claim": self.name,
            "states": self.states,
            "finding": self.finding,
            "said": self.said,
            "effects": [effect.to_plain() for effect in self.effects],
            "would_decide": self.would_decide,
            "remarks": list(self.remarks),
            "importances": [one.to_plain() for one in self.importances],
            "runs": {study: list(runs) for study, runs in self.runs.items()},
        }


def not_asked(
    name: str, states: str, needs: str, *, importances: tuple[Importance, ...] = ()
) -> Claim:
    """A claim that a study cannot speak to.

    Args:
        needs: What it would need, to follow on the word.
    """
    return Claim(
        name=name,
        states=states,
        finding="not asked",
        said=f"It needs {needs}.",
        importances=importances,
    )


def ranges(runs: Sequence[int]) -> str:
    """``3 to 5, 9``: rising numbers of runs, those in a row in short, and no more than some."""
    rows = [
        [run for _, run in row]
        for _, row in groupby(enumerate(runs), key=lambda placed: placed[1] - placed[0])
    ]
    said = [f"{row[0]} to {row[-1]}" if len(row) > 2 else ", ".join(map(str, row)) for row in rows]
    if len(said) <= _MOST_RANGES:
        return ", ".join(said)
    left = sum(map(len, rows[_MOST_RANGES:]))
    return f"{', '.join(said[:_MOST_RANGES])} and {left} more (all by --json)"
