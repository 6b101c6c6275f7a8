"""Which labels are wrong on purpose, and what stands in their place.

Symmetric noise gives a label one of the *other* classes, so that its rate is the share of wrong
labels; pair noise the next class, the first after the last; matrix noise draws from the row of the
true class (Patrini et al. 2017 name all three transition matrices). Nothing here knows a seed of a
study: the same data and the same noise have the same wrong labels in every run.

Shapes: N samples of a split, C classes, B batch.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

from trainers.problems._options import check_choice
from trainers.problems.errors import BadOption
from trainers.randomness import Key
from trainers.suggestions import shown

if TYPE_CHECKING:
    from torch import Tensor

Kind = Literal["symmetric", "pair", "matrix"]
KINDS = ("symmetric", "pair", "matrix")
DRAW_VERSION = 1  # to be raised when the same noise would make other labels wrong
_SLACK = 1e-6  # of a row's sum: thirds are written with a few digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Noise of one kind on the labels of some tasks.

    Attributes:
        tasks: Each of them draws its own wrong labels.
        kind: ``symmetric``, ``pair`` or ``matrix``.
        rate: Share of wrong labels of a split, 0 or above and below 1; of ``matrix`` 0.
        rows: Of ``matrix`` ``[C, C]``: true class to the probabilities of the classes given.
        seed: Which labels are wrong; no seed of a study.

    Raises:
        BadOption: A field breaks its rule.
    """

    tasks: Sequence[str]
    kind: Kind
    rate: float = 0.0
    rows: Sequence[Sequence[float]] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        check_choice("kind", self.kind, KINDS)
        object.__setattr__(self, "rate", _checked_rate(self.rate))
        if self.kind == "matrix":
            object.__setattr__(self, "rows", _checked_rows(self.rows))

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Noise:
        """Of what `to_plain` gives."""
        return cls(**{**plain, "tasks": tuple(plain["tasks"])})

    def to_plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {**asdict(self), "tasks": list(self.tasks), "rows": [list(row) for row in self.rows]}

    def n_wrong(self, n_samples: int) -> int:
        """How many of N labels are wrong; of ``matrix`` noise that hangs on the classes."""
        return round(Fraction(str(self.rate)) * n_samples)

    def off_diagonal(self) -> tuple[float, float]:
        """Least and largest share of wrong labels of a class, of ``matrix`` noise."""
        wrong = [1 - row[true] for true, row in enumerate(self.rows)]
        return max(min(wrong), 0.0), max(wrong)

    def draws(self, key: Key, n_samples: int, n_classes: int) -> NoiseDraws:
        """What decides on the labels of a split of N samples.

        Wrong labels of a smaller rate are among those of a larger one.
        """
        import torch

        from trainers.problems._draws import permutation, uniforms

        chances = torch.from_numpy(uniforms(n_samples, key / "class"))
        if self.kind == "matrix":
            rows = torch.tensor(self.rows, dtype=torch.float64).cumsum(1)
            return NoiseDraws(chances, rows / rows[:, -1:])
        n_others = n_classes - 1 if self.kind == "symmetric" else 1
        steps = 1 + (chances * n_others).to(torch.int64)
        order = torch.from_numpy(permutation(n_samples, key / "order"))
        steps[order[self.n_wrong(n_samples) :]] = 0
        return NoiseDraws(steps, None)


@dataclass(frozen=True, slots=True, eq=False)
class NoiseDraws:
    """What decides on the label of each sample, whatever its class.

    Attributes:
        of_sample: ``[N]``: by how many classes a label is off, int64; or a chance in 0 to 1.
        rows: ``[C, C]``, cumulative rows by which a chance picks a class; None with steps.
    """

    of_sample: Tensor
    rows: Tensor | None

    def given(self, true: Tensor, samples: Tensor, n_classes: int) -> Tensor:
        """Classes ``[B]`` given to samples of classes `true` ``[B]``, on the device of `true`.

        Args:
            samples: Their numbers ``[B]`` in the split.
        """
        drawn = self.of_sample[samples].to(true.device)
        if self.rows is None:
            return (true + drawn) % n_classes
        return (drawn.unsqueeze(1) >= self.rows.to(true.device)[true]).sum(1)


def noise_key(data_version: object, seed: int) -> Key:
    """The address of all draws: data and the noise's own seed, nothing else."""
    version = sha256(json.dumps(data_version, sort_keys=True).encode()).hexdigest()
    return Key("label_noise") / version / seed


def _checked_rate(value: object) -> float:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    if not known or not 0 <= float(value) < 1:  # type: ignore[arg-type]
        raise BadOption(
            "`rate` of label noise is the share of wrong labels, 0 or above and below 1. Got "
            f"{shown(value)}. Write 0.4 for 40 %."
        )
    return float(value)  # type: ignore[arg-type]


def _checked_rows(value: Any) -> tuple[tuple[float, ...], ...]:
    try:
        rows = tuple(tuple(float(chance) for chance in row) for row in value)
    except (TypeError, ValueError):
        raise BadOption(
            f"`rows` of label noise must be a list of rows. Got {shown(value)}. Write "
            "[[0.9, 0.1], [0.2, 0.8]] for two classes."
        ) from None
    if len(rows) < 2 or any(len(row) != len(rows) for row in rows):
        widths = ", ".join(str(len(row)) for row in rows) or 0
        raise BadOption(
            "`rows` of label noise must be as many rows as classes, with a probability of each "
            f"class in each. Got {len(rows)} rows of {widths}. "
            "Write [[0.9, 0.1], [0.2, 0.8]] for two classes."
        )
    for number, row in enumerate(rows):
        if not all(math.isfinite(chance) and chance >= 0 for chance in row):
            raise BadOption(
                f"`rows` of label noise must hold probabilities, 0 or above. Row {number} is "
                f"{shown(list(row))}. Change it."
            )
        if abs(math.fsum(row) - 1) > _SLACK:
            raise BadOption(
                f"Each of the `rows` of label noise must sum to 1. Row {number} is "
                f"{shown(list(row))}, which sums to {math.fsum(row):g}. Divide it by its sum."
            )
    for given in range(len(rows)):
        if not any(row[given] for row in rows):
            raise BadOption(
                f"`rows` of label noise must leave each class a label. Class {given} vanishes: "
                "its column is all 0. Give one of its rows a probability above 0."
            )
    return rows
