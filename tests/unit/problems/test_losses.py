import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from trainers.problems import bce, cross_entropy, l1, mse
from trainers.problems._losses import chosen_by_mask, chosen_by_number
from trainers.problems.errors import BadShape

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.0, 1.0, 0.0], [1.0, 1.0, -3.0], [0.2, 0.1, 0.0]])
CLASSES = torch.tensor([0, 2, 1, 0])
NUMBERS = torch.tensor([0.5, -1.0, 3.0, 0.0])
OUTPUT = torch.tensor([[0.0], [1.0], [2.5], [-4.0]])
LABELS = torch.tensor([1.0, 0.0, 0.0, 1.0])

Loss = Callable[..., Tensor]

TORCH: list[tuple[Loss, Loss, Tensor, Tensor]] = [
    (cross_entropy, functional.cross_entropy, LOGITS, CLASSES),
    (l1, functional.l1_loss, OUTPUT[:, 0], NUMBERS),
    (mse, functional.mse_loss, OUTPUT[:, 0], NUMBERS),
    (bce, functional.binary_cross_entropy_with_logits, OUTPUT[:, 0], LABELS),
]
MISSING = {
    cross_entropy: (LOGITS, CLASSES, torch.tensor(-1)),
    l1: (OUTPUT, NUMBERS, torch.tensor(math.nan)),
    mse: (OUTPUT, NUMBERS, torch.tensor(math.nan)),
    bce: (OUTPUT, LABELS, torch.tensor(math.nan)),
}


@pytest.mark.parametrize(("ours", "torchs", "output", "target"), TORCH)
def test_equals_torch_on_complete_targets(
    ours: Loss, torchs: Loss, output: Tensor, target: Tensor
) -> None:
    torch.testing.assert_close(ours(output, target), torchs(output, target))


def test_cross_entropy_equals_torch_on_images() -> None:
    logits = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    target = torch.randint(-1, 3, (2, 4, 5), generator=torch.Generator().manual_seed(1))
    expected = functional.cross_entropy(logits, target, ignore_index=-1)
    torch.testing.assert_close(cross_entropy(logits, target), expected)


@given(st.integers(1, 3), st.integers(1, 70), st.integers(1, 12), st.integers(0, 2**31))
def test_a_mask_chooses_the_same_bits_as_a_number(
    rows: int, samples: int, classes: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, 1, classes, samples, generator=generator)
    target = torch.randint(0, classes, (1, samples), generator=generator)
    found = []
    for choose in (chosen_by_number, chosen_by_mask):
        leaf = logits.clone().requires_grad_()
        chosen = choose(functional.log_softmax(leaf, dim=2), target)
        (slope,) = torch.autograd.grad(-chosen.flatten(1).sum(1).sum(), leaf)
        found.append((chosen.detach(), slope))
    (by_number, of_number), (by_mask, of_mask) = found
    assert torch.equal(by_mask, by_number)
    assert torch.equal(of_mask, of_number)


@pytest.mark.parametrize("loss", MISSING)
def test_missing_elements_do_not_count(loss: Loss) -> None:
    output, target, missing = MISSING[loss]
    gappy = torch.stack([target[0], missing, target[2], missing])
    torch.testing.assert_close(loss(output, gappy), loss(output[[0, 2]], target[[0, 2]]))


@pytest.mark.parametrize("loss", MISSING)
def test_missing_elements_get_no_gradient(loss: Loss) -> None:
    output, target, missing = MISSING[loss]
    leaf = output.clone().requires_grad_()
    loss(leaf, torch.stack([missing, target[1], missing, target[3]])).backward()
    assert leaf.grad is not None
    assert leaf.grad[[0, 2]].abs().sum() == 0
    assert leaf.grad.isfinite().all()


@pytest.mark.parametrize("loss", MISSING)
def test_a_batch_without_valid_elements_says_nothing(loss: Loss) -> None:
    output, target, missing = MISSING[loss]
    leaf = output.clone().requires_grad_()
    value = loss(leaf, missing.expand(len(target)))
    value.backward()
    assert value.item() == 0
    assert leaf.grad is not None
    assert leaf.grad.abs().sum() == 0


@pytest.mark.parametrize("loss", MISSING)
def test_a_diverged_output_stays_visible(loss: Loss) -> None:
    output, target, _ = MISSING[loss]
    assert loss(output * math.nan, target).isnan()


@pytest.mark.parametrize("loss", [l1, mse, bce])
def test_column_of_one_output_equals_flat_output(loss: Loss) -> None:
    torch.testing.assert_close(loss(OUTPUT, LABELS), loss(OUTPUT[:, 0], LABELS))


@pytest.mark.parametrize("loss", [l1, mse, bce])
def test_shapes_that_would_broadcast_are_refused(loss: Loss) -> None:
    with pytest.raises(BadShape, match=r"\[4\] and target \[4, 1\]"):
        loss(OUTPUT[:, 0], LABELS[:, None])


@pytest.mark.parametrize("loss", MISSING)
def test_vmap_over_outputs_equals_one_by_one(loss: Loss) -> None:
    output, target, missing = MISSING[loss]
    target = torch.stack([target[0], missing, target[2], target[3]])
    pack = torch.stack([output, 2 * output, output - 1])
    together = torch.func.vmap(loss, in_dims=(0, None))(pack, target)
    torch.testing.assert_close(together, torch.stack([loss(member, target) for member in pack]))
