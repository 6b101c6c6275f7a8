"""GO4Align's groups: against all partings there are, and what it keeps of steps."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainers.testing import measured
from trainers.weightings import weighting
from trainers.weightings.go4align import _group_means
from trainers.weightings.levels import AfterStepWeighting

METHOD = weighting("go4align")
assert isinstance(METHOD, AfterStepWeighting)


def squares(values: list[float], means: list[float]) -> float:
    return sum((value - mean) ** 2 for value, mean in zip(values, means, strict=True))


@given(values=st.lists(st.floats(0.0, 100.0), min_size=1, max_size=7), groups=st.integers(1, 4))
def test_no_other_parting_has_less_squares(values: list[float], groups: int) -> None:
    ranked, n = sorted(values), min(groups, len(values))
    every = []
    for cuts in combinations(range(1, len(ranked)), n - 1):
        bounds = [0, *cuts, len(ranked)]
        parts = [ranked[a:b] for a, b in pairwise(bounds)]
        every.append(squares(ranked, [sum(part) / len(part) for part in parts for _ in part]))
    found = squares(values, _group_means(values, groups))
    assert found == pytest.approx(min(every), abs=1e-9)


def test_losses_of_all_steps_count_and_the_loss_of_this_one() -> None:
    hyper = {"groups": torch.tensor(2.0), "rate": torch.tensor(0.1, dtype=torch.float64)}
    state = {"seen": torch.zeros(2, dtype=torch.float64)}
    losses = torch.tensor([1.0, 3.0], dtype=torch.float64)
    for step in (1, 2):
        shares = (-0.1 * step * losses).softmax(-1)
        weights = measured(METHOD, losses, hyper=hyper, state=state)[1]
        torch.testing.assert_close(weights, shares * 4.0 / losses)
        state = dict(METHOD.after_step(state, losses, losses, hyper=hyper))
    assert state["seen"].tolist() == [2.0, 6.0]
