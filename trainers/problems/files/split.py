"""Which samples go to which split, by name; validation comes out of training data, never of test.

Shapes: N samples of a split.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

from trainers.problems._draws import permutation
from trainers.randomness import Key

Names = Mapping[str, Sequence[str]]
"""Names ``[N]`` of the samples of each split, in their order."""


def carved(train: Sequence[str], n_validation: int, split_seed: int) -> dict[str, list[str]]:
    """Training samples and those held out of them for validation, each in their order.

    Args:
        train: All names that are for training.
        n_validation: Samples to hold out.
        split_seed: Which.
    """
    order = permutation(len(train), Key(f"split-{split_seed}") / "validation")
    held = set(order[:n_validation].tolist())
    return {
        "train": [name for number, name in enumerate(train) if number not in held],
        "validation": [name for number, name in enumerate(train) if number in held],
    }


def described(names: Names) -> dict[str, dict[str, object]]:
    """What a card says of each split: how many samples, and a hash of their names in order."""
    return {
        split: {
            "samples": len(of),
            "names": "sha256:" + sha256("\n".join(of).encode()).hexdigest()[:32],
        }
        for split, of in names.items()
    }
