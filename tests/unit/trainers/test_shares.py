"""Every row of every batch is trained on once, by one of the processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from trainers.engines.solo.parallel_run import Shares
from trainers.protocol import Batch
from trainers.randomness import Key

KEY = Key("shares")


class Numbers:
    """Samples that are their own numbers."""

    size = 0

    def batches(self, order: Tensor | None, batch_size: int, key: Key) -> Iterator[Batch]:
        assert order is not None
        assert key == KEY
        for rows in order.split(batch_size):
            yield Batch(rows, {})


@given(
    n_samples=st.integers(1, 50),
    batch_size=st.integers(1, 12),
    size=st.integers(2, 6),
    data=st.data(),
)
def test_shares_make_up_the_batches(
    n_samples: int, batch_size: int, size: int, data: st.DataObject
) -> None:
    batch_size = max(batch_size, size)
    order = torch.tensor(data.draw(st.permutations(range(n_samples))))
    groups = [Shares(n_samples, batch_size, rank, size) for rank in range(size)]
    found = [[b.inputs.tolist() for b in s.batches(Numbers(), order, KEY)] for s in groups]
    whole = [rows.tolist() for rows in order.split(batch_size)]
    assert {len(shares) for shares in groups} == {len(whole)}
    for place, rows in enumerate(whole):
        shares = [of_one[place] for of_one in found]
        parts = [s.parts[place] for s in groups]
        assert sum(parts) == pytest.approx(1.0)
        if len(rows) < size:
            assert shares == [rows] * size
        else:
            assert [row for share in shares for row in share] == rows
            assert max(map(len, shares)) - min(map(len, shares)) <= 1
            assert parts == pytest.approx([len(share) / len(rows) for share in shares])
