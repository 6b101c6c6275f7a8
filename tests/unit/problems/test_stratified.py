"""Splits of samples with many labels."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trainers.problems._stratified import stratified_rows
from trainers.randomness import Key

SIZES = {"train": 120, "validation": 40, "test": 40}
RATES = [0.02, 0.1, 0.4, 0.8, 0.0]


@given(seed=st.integers(0, 10**6))
def test_splits_share_no_row_have_their_sizes_and_each_label_its_share(seed: int) -> None:
    draws = np.random.default_rng(seed).random((200, len(RATES)))
    labels = draws < np.array(RATES)
    rows = stratified_rows(labels, SIZES, Key(str(seed)))
    assert {split: len(found) for split, found in rows.items()} == SIZES
    assert sorted(np.concatenate([*rows.values()]).tolist()) == [*range(200)]
    for split, found in rows.items():
        wanted = labels.sum(axis=0) * SIZES[split] / 200
        assert (abs(labels[found].sum(axis=0) - wanted) < 4).all()


def test_samples_without_a_label_fill_what_is_left() -> None:
    rows = stratified_rows(np.zeros((4, 2), bool), {"a": 3, "b": 1}, Key("1"))
    assert [len(found) for found in rows.values()] == [3, 1]


def test_the_key_decides_who_goes_where() -> None:
    labels = np.random.default_rng(0).random((200, 3)) < 0.3
    first, again, other = (stratified_rows(labels, SIZES, Key(key))["test"] for key in "112")
    assert first.tolist() == again.tolist() != other.tolist()
