"""Updates that TorchJD's documentation gives, to its four digits.

Shapes: T tasks, P shared parameters.
"""

from __future__ import annotations

import pytest
import torch

from tests.unit.weightings.gradient_cases import step

GRADIENTS = torch.tensor([[-4.0, 1.0, 1.0], [6.0, 1.0, 1.0]], dtype=torch.float64)
"""``[T, P]``: the example of each aggregator's page."""
PUBLISHED = {
    "aligned-mtl": [0.2133, 0.9673, 0.9673],
    "cagrad": [0.1835, 1.2041, 1.2041],
    "config": [0.1588, 2.0706, 2.0706],
    "imtl-g": [0.0767, 1.0, 1.0],
    "mgda": [0.0, 1.0, 1.0],
    "nash-mtl": [0.0542, 0.7061, 0.7061],
    "pcgrad": [0.5848, 3.8012, 3.8012],
    "upgrad": [0.2929, 1.9004, 1.9004],
}


@pytest.mark.parametrize(("name", "update"), PUBLISHED.items())
def test_the_update_is_that_of_the_peers_documentation(name: str, update: list[float]) -> None:
    noise = torch.zeros(2, 2) if name == "pcgrad" else None  # of two tasks, orders are no matter
    found = step(name, GRADIENTS, noise=noise).update
    torch.testing.assert_close(found, GRADIENTS.new_tensor(update), rtol=0, atol=1e-4)


def test_graddrop_keeps_one_of_the_two_signs_and_the_peers_documentation_the_positive_one() -> None:
    updates = {
        tuple(step("graddrop", GRADIENTS, noise=torch.full((2, 2), float(seed))).update.tolist())
        for seed in range(20)
    }
    assert updates == {(6.0, 2.0, 2.0), (-4.0, 2.0, 2.0)}
