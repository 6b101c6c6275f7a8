"""What gradient-level methods promise, by their papers' own conditions.

Shapes: T tasks, P shared parameters.
"""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import nnls
from torch import Tensor

from tests.unit.weightings.gradient_cases import SEEDS, drawn, promised, step
from trainers.weightings import MissingNoise, Unsolved, weighting
from trainers.weightings._solved import SolvedWeighting
from trainers.weightings.errors import MissingPackage

SOLVED = ["aligned-mtl", "cagrad", "config", "fairgrad", "imtl-g", "mgda", "nash-mtl", "upgrad"]


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@given(n_tasks=st.integers(1, 6), seed=SEEDS)
@promised
def test_fairgrad_solves_its_equation(alpha: float, scale: float, n_tasks: int, seed: int) -> None:
    gradients = drawn(n_tasks, seed, scale)
    weights = step("fairgrad", gradients, alpha=alpha).weights
    gains = gradients @ gradients.mT @ weights
    torch.testing.assert_close(
        gains * weights ** (1 / alpha), torch.ones_like(gains), rtol=1e-4, atol=0
    )


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@given(n_tasks=st.integers(1, 6), seed=SEEDS)
@promised
def test_nash_mtl_solves_the_bargaining_equation(scale: float, n_tasks: int, seed: int) -> None:
    gradients = drawn(n_tasks, seed, scale)
    weights = step("nash-mtl", gradients, max_norm=0.0).weights
    gramian = gradients @ gradients.mT
    gains = gramian / gramian.norm() @ weights
    torch.testing.assert_close(gains * weights, torch.ones_like(gains), rtol=1e-4, atol=0)


def test_nash_mtl_of_orthogonal_gradients_by_hand_and_no_longer_than_it_may_be() -> None:
    gradients = torch.tensor([[3.0, 0.0], [0.0, 4.0]], dtype=torch.float64)
    # each alone: 1 / |g|, times the root of the Gramian's norm sqrt(81 + 256)
    expected = torch.tensor([1 / 3, 1 / 4], dtype=torch.float64) * (81 + 256) ** 0.25
    free = step("nash-mtl", gradients, max_norm=0.0)
    torch.testing.assert_close(free.weights, expected, rtol=1e-6, atol=0)
    found = step("nash-mtl", gradients, max_norm=1.5)
    torch.testing.assert_close(found.update.norm(), gradients.new_tensor(1.5))
    torch.testing.assert_close(found.weights / found.weights[0], expected / expected[0])


@pytest.mark.parametrize("name", ["nash-mtl", "fairgrad", "config", "gn-scale"])
def test_a_task_without_a_gradient_is_left_out(name: str) -> None:
    gradients = drawn(4, 3)
    gradients[2] = 0.0
    others = [0, 1, 3]
    found, alone = step(name, gradients), step(name, gradients[others])
    assert found.weights[2] == 0
    share = 4 / 3 if name == "gn-scale" else 1.0  # whose weights sum to T
    torch.testing.assert_close(found.weights[others], share * alone.weights, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("name", ["nash-mtl", "fairgrad"])
def test_opposite_gradients_have_a_solution_within_their_precision(name: str) -> None:
    one = drawn(1, 0)
    found = step(name, torch.cat([one, -one]))
    assert found.weights.isfinite().all()
    assert (found.weights > 0).all()
    assert found.update.norm() < 1e-2 * found.weights.max() * one.norm()


@given(n_tasks=st.integers(1, 6), seed=SEEDS)
@promised
def test_upgrad_harms_no_task_and_is_the_mean_of_projections(n_tasks: int, seed: int) -> None:
    gradients = drawn(n_tasks, seed)
    gradients = gradients / gradients.norm(dim=-1, keepdim=True)
    found = step("upgrad", gradients)
    assert (gradients @ found.update > -1e-3).all()
    # the projection of g on the dual cone adds the nearest combination of gradients to it
    rows = gradients.numpy()
    projected = [row + rows.T @ nnls(rows.T, -row)[0] for row in rows]
    mean = torch.tensor(sum(projected) / n_tasks)
    torch.testing.assert_close(found.update, mean, rtol=2e-2, atol=2e-2)


@given(n_tasks=st.integers(1, 6), seed=SEEDS)
@promised
def test_gn_scale_pulls_equally_hard(n_tasks: int, seed: int) -> None:
    gradients = drawn(n_tasks, seed)
    weights = step("gn-scale", gradients).weights
    pulls = weights * gradients.norm(dim=-1)
    torch.testing.assert_close(pulls, pulls[:1].expand_as(pulls))
    torch.testing.assert_close(weights.sum(), weights.new_tensor(float(n_tasks)))


@given(seed=SEEDS)
@promised
def test_graddrop_keeps_one_sign_where_nothing_leaks(seed: int) -> None:
    gradients = drawn(4, seed)
    noise = torch.randn(4, 4, generator=torch.Generator().manual_seed(seed))
    found = step("graddrop", gradients, noise=noise)
    positive, negative = gradients.clamp(min=0).sum(0), gradients.clamp(max=0).sum(0)
    near = torch.stack([(found.update - of).abs() for of in (positive, negative)]).amin(0)
    assert near.max() < 1e-9
    assert ((found.weights >= 0) & (found.weights <= 1)).all()
    again = step("graddrop", gradients, noise=noise)
    assert torch.equal(found.update, again.update)


def test_graddrop_draws_by_its_noise() -> None:
    gradients = torch.cat([drawn(3, 0)] * 20, dim=1)
    one, other = (step("graddrop", gradients, noise=torch.full((3, 3), of)) for of in (0.0, 1.0))
    assert not torch.equal(one.update, other.update)


def test_graddrop_that_leaks_all_is_the_plain_sum() -> None:
    gradients = drawn(3, 0)
    found = step("graddrop", gradients, noise=torch.zeros(3, 3), leak=[1.0, 1.0, 1.0])
    torch.testing.assert_close(found.update, gradients.sum(0))
    assert found.weights.tolist() == pytest.approx([1.0] * 3)


@pytest.mark.parametrize("name", ["graddrop", "gradvac"])
def test_chance_without_noise_is_refused(name: str) -> None:
    with pytest.raises(MissingNoise, match=r"noise of shape \[3, 3\]"):
        step(name, drawn(3, 0))


def test_db_mtl_averages_and_brings_all_to_the_longest() -> None:
    first, second = drawn(3, 0), drawn(3, 1)
    one = step("db-mtl", first, beta=0.5)
    mean = 0.5 * first
    expected = mean.norm(dim=-1).max() * (mean / mean.norm(dim=-1, keepdim=True)).sum(0)
    torch.testing.assert_close(one.update, expected)
    two = step("db-mtl", second, beta=0.5, sigma=1.0, state=dict(one.state))
    mean = 0.25 * mean + 0.75 * second  # beta / 2 in the second step
    torch.testing.assert_close(two.state["mean"], mean)
    lengths = mean.norm(dim=-1, keepdim=True)
    torch.testing.assert_close(two.update, lengths.max() * (mean / lengths).sum(0))
    torch.testing.assert_close(two.weights, 0.75 * (lengths.max() / lengths).squeeze(-1))


def test_gradnorm_waits_for_the_first_epoch_and_then_moves_towards_equal_lengths() -> None:
    method, gradients = weighting("gradnorm"), torch.diag(torch.tensor([4.0, 2.0, 1.0]))
    losses = torch.tensor([2.0, 4.0, 6.0])
    early = step("gradnorm", gradients, losses=losses)
    assert torch.equal(early.state["s"], torch.zeros(3))
    torch.testing.assert_close(early.update, gradients.sum(0))
    state = dict(method.end_epoch(early.state, losses))
    assert state["first"].tolist() == losses.tolist()
    assert method.end_epoch(state, 2 * losses)["first"].tolist() == losses.tolist()
    found = step("gradnorm", gradients, losses=losses, state=state, rate=0.1)
    # lengths 4, 2 and 1 about a mean of 7/3: signs +, -, -, so the slopes by s are those times
    # the lengths less a third of their sum, 1/3; Adam's first step is the rate
    torch.testing.assert_close(found.state["s"], torch.tensor([-0.1, 0.1, 0.1]))


def test_gradnorm_gives_more_to_what_trains_slowly() -> None:
    gradients, losses = torch.eye(2), torch.tensor([2.0, 1.0])
    state = dict(step("gradnorm", gradients).state) | {"first": torch.ones(2)}
    found = step("gradnorm", gradients, losses=losses, state=state, alpha=1.0)
    assert found.state["s"][0] > 0 > found.state["s"][1]


@pytest.mark.parametrize("name", SOLVED)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e200])
def test_gradients_that_are_not_finite_let_the_run_diverge(name: str, value: float) -> None:
    gradients = drawn(3, 0)
    gradients[1, 0] = value
    assert not step(name, gradients).weights.isfinite().any()


@pytest.mark.parametrize("name", [*SOLVED, "pcd"])
def test_without_any_gradient_there_is_no_step(name: str) -> None:
    found = step(name, torch.zeros(3, 5, dtype=torch.float64))
    assert not found.update.any()
    assert found.weights.isfinite().all()


class Failing(SolvedWeighting):
    name, title, paper = "failing", "Failing", "An example; no source."

    def __init__(self, found: Tensor | None = None) -> None:
        self._found = found

    def solved(self, gramian: Tensor, _size: float, _hyper: object) -> Tensor:
        if self._found is None:
            raise ArithmeticError("no luck")
        return self._found


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (None, "ArithmeticError: no luck"),
        (torch.tensor([1.0, float("nan")]), r"it found \[1.0, nan"),
    ],
)
def test_what_cannot_be_solved_fails_and_says_why(found: Tensor | None, why: str) -> None:
    with pytest.raises(Unsolved, match=f"Failing must find .* {why}.* Lower the learning rate"):
        Failing(found).combination(torch.eye(2), hyper={})


def test_a_package_that_is_missing_is_named_with_the_extra() -> None:
    class Wanting(Failing):
        title = "Wanting"
        needs = ("torchjd", "no_such_package")

    with pytest.raises(
        MissingPackage, match=r"torchjd and no_such_package. Not installed here: no_s"
    ) as error:
        Wanting().refuse_unless_installed()
    assert "pip install 'weighbridge[gradients]'" in str(error.value)
