import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainers.problems._draws import draw_pairs, split_rows
from trainers.randomness import Key

LABELS = np.repeat(np.arange(10), 30)
N_PAIRS = {"train": 95, "validation": 33, "test": 200}


@given(seed=st.integers(0, 10**6))
def test_splits_share_no_digit_and_miss_none(seed: int) -> None:
    parts = split_rows(LABELS, Key(str(seed)))
    together = np.concatenate(list(parts.values()))
    assert sorted(together.tolist()) == list(range(len(LABELS)))


@given(seed=st.integers(0, 10**6))
def test_splits_are_stratified(seed: int) -> None:
    counts = {
        s: np.bincount(LABELS[rows]) for s, rows in split_rows(LABELS, Key(str(seed))).items()
    }
    assert {split: set(count.tolist()) for split, count in counts.items()} == {
        "train": {18},
        "validation": {6},
        "test": {6},
    }


@given(seed=st.integers(0, 10**6))
def test_pairs_stay_inside_their_split(seed: int) -> None:
    parts = split_rows(LABELS, Key(f"split-{seed}"))
    for split, rows in draw_pairs(LABELS, N_PAIRS, seed).items():
        assert set(rows.left.tolist()) | set(rows.right.tolist()) <= set(parts[split].tolist())


@pytest.mark.parametrize("split", N_PAIRS)
@pytest.mark.parametrize("side", ["left", "right"])
def test_classes_are_balanced_give_or_take_one(split: str, side: str) -> None:
    rows = getattr(draw_pairs(LABELS, N_PAIRS, 0)[split], side)
    counts = np.bincount(LABELS[rows], minlength=10)
    assert counts.sum() == N_PAIRS[split]
    assert counts.max() - counts.min() <= 1


def test_digits_repeat_only_when_used_up() -> None:
    rows = draw_pairs(LABELS, {"train": 180, "validation": 60, "test": 60}, 0)
    for part in rows.values():
        assert len(set(part.left.tolist())) == len(part.left)


def test_left_and_right_classes_are_independent() -> None:
    rows = draw_pairs(LABELS, {"train": 2_000, "validation": 1, "test": 1}, 0)["train"]
    together = np.zeros((10, 10))
    np.add.at(together, (LABELS[rows.left], LABELS[rows.right]), 1)
    chi_squared = ((together - 20) ** 2 / 20).sum()
    assert chi_squared < 81 + 4 * np.sqrt(2 * 81)  # mean of 81 degrees of freedom, plus 4 sd


def test_another_seed_is_another_split() -> None:
    first, second = (draw_pairs(LABELS, N_PAIRS, seed)["train"] for seed in (0, 1))
    assert not np.array_equal(first.left, second.left)
