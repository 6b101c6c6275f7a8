from __future__ import annotations

from collections.abc import Sequence

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tests.packs import a_job
from tests.toy import TASKS
from trainers.engines.fused.member import Member
from trainers.engines.fused.rows import RowLayout, Rows
from trainers.engines.fused.weighting_rows import WeightingRows, weighed
from trainers.weightings import Weighting, weighting

CPU = torch.device("cpu")
N_ROWS = 12
LOSSES = torch.rand(N_ROWS, len(TASKS), generator=torch.Generator().manual_seed(0))


class Bent(Weighting):
    """Its sigmoid rounds differently in the remainder of a vectorised kernel."""

    name, title, paper = "bent", "Bent", "none"

    def objective(self, losses: Tensor, **_: object) -> Tensor:
        return losses.sigmoid().sum(-1)


@given(st.lists(st.integers(0, N_ROWS - 1), min_size=1, unique=True))
def test_a_row_is_weighed_alike_beside_any_others(rows: list[int]) -> None:
    whole = weights_of(Bent(), range(N_ROWS))
    assert torch.equal(weights_of(Bent(), rows)[rows], whole[rows])


def test_rows_of_other_weightings_are_left_alone() -> None:
    weights = weights_of(Bent(), [2, 5])
    assert (weights[[2, 5]] != 0).all()
    assert weights.count_nonzero() == 2 * len(TASKS)


def test_each_weighting_has_its_rows() -> None:
    members = [a_member(weighting(name)) for name in ("ew", "uw", "ew", "gls")]
    losses, weights = torch.ones(4, len(TASKS)), torch.zeros(4, len(TASKS))
    learned = Rows(RowLayout({"s": (len(TASKS),)}), n_rows=4, kept=(), device=CPU)
    for part in weighed(members, CPU):
        part.weigh(losses, weights, learned, 0)
    # UW from s = 0 halves; the geometric mean of three ones gives a third each.
    expected = torch.tensor([[1.0] * 3, [0.5] * 3, [1.0] * 3, [1 / 3] * 3])
    torch.testing.assert_close(weights, expected)


def weights_of(method: Weighting, rows: Sequence[int]) -> Tensor:
    part = WeightingRows(list(rows), [a_member(method)] * N_ROWS, CPU)
    weights = torch.zeros_like(LOSSES)
    part.weigh(LOSSES, weights, Rows(RowLayout({}), n_rows=N_ROWS, kept=(), device=CPU), 0)
    return weights


def a_member(method: Weighting) -> Member:
    return Member(job=a_job(), weighting=method, hyper=method.checked({}, len(TASKS)))
