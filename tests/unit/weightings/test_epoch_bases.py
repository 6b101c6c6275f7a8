"""Methods that weigh by a base: the mean losses of an early epoch, once that is over."""

from __future__ import annotations

import pytest
import torch

from trainers.testing import measured
from trainers.weightings import weighting

FIRST, SECOND, THIRD = (
    torch.tensor(of, dtype=torch.float64) for of in ([2.0, 4.0], [1.0, 2.0], [9.0, 9.0])
)


@pytest.mark.parametrize(
    ("name", "hyper", "until"),
    [("igb-v1", {"base_epoch": 2.0}, 2), ("stch", {"mu": 0.5, "warm_up": 2.0}, 2)],
)
def test_the_base_is_of_its_epoch_and_before_it_losses_have_equal_shares(
    name: str, hyper: dict[str, float], until: int
) -> None:
    method = weighting(name)
    state = {of: torch.full((2,), start) for of, start in method.state(hyper).items()}
    given = {of: torch.tensor(value) for of, value in hyper.items()}
    losses = torch.tensor([3.0, 5.0], dtype=torch.float64)
    shares = []
    for means in (FIRST, SECOND, THIRD):
        shares.append(losses * measured(method, losses, hyper=given, state=state)[1])
        state = dict(method.end_epoch(state, means))
    torch.testing.assert_close(state["base"].double(), SECOND)
    for early in shares[:until]:
        torch.testing.assert_close(early, torch.ones_like(early))
    assert not torch.equal(shares[until], torch.ones_like(losses))
