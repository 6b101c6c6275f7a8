"""What a worker and its loader processes say to each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trainers.problems.files.batches import Reading
from trainers.problems.files.memory import Block
from trainers.randomness import Key


@dataclass(frozen=True, slots=True)
class Told:
    """From now on a number stands for this reading."""

    number: int
    reading: Reading


@dataclass(frozen=True, slots=True)
class Asked:
    """Read these rows of a reading into a block.

    Attributes:
        ticket: Given back with the answer.
        reading: By its number.
    """

    ticket: int
    reading: int
    rows: Sequence[int]
    key: Key
    block: Block


@dataclass(frozen=True, slots=True)
class Answered:
    """A batch is there; or what is wrong with it.

    Attributes:
        error: What was raised, in words; empty if nothing was.
        broken: It is the user's files.
    """

    ticket: int
    error: str = ""
    broken: bool = False
