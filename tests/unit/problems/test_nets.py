import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from trainers.nets import LeNet, Mlp, linear_head

IMAGES = {side: torch.rand(5, 1, side, side) for side in (8, 14, 28)}


def _trunks(side: int) -> list[nn.Module]:
    return [Mlp(side**2, (32, 16)), LeNet(side, 16)]


@pytest.mark.parametrize("side", IMAGES)
@pytest.mark.parametrize("which", [0, 1], ids=["mlp", "lenet"])
def test_features_have_the_promised_width(side: int, which: int) -> None:
    trunk = _trunks(side)[which]
    assert trunk(IMAGES[side]).shape == (5, trunk.out_features)


@pytest.mark.parametrize("side", IMAGES)
@pytest.mark.parametrize("which", [0, 1], ids=["mlp", "lenet"])
def test_survives_vmap_over_stacked_parameters(side: int, which: int) -> None:
    members = [nn.Sequential(_trunks(side)[which], linear_head(16, 3)) for _ in range(3)]
    params, buffers = stack_module_state(members)

    def forward(params: dict[str, Tensor], buffers: dict[str, Tensor]) -> Tensor:
        return functional_call(members[0], (params, buffers), (IMAGES[side],))

    together = vmap(forward)(params, buffers)
    alone = torch.stack([member(IMAGES[side]) for member in members])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("which", [0, 1], ids=["mlp", "lenet"])
def test_initialised_from_the_global_generator(which: int) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        first = _trunks(14)[which].state_dict()
        torch.manual_seed(1)
        second = _trunks(14)[which].state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_lenet_grows_with_its_width() -> None:
    counts = [sum(p.numel() for p in LeNet(14, width).parameters()) for width in (8, 32, 128)]
    assert counts == sorted(set(counts))


def test_mlp_has_the_widths_it_is_given() -> None:
    shapes = [tuple(p.shape) for p in Mlp(196, (128, 128)).parameters() if p.ndim == 2]
    assert shapes == [(128, 196), (128, 128)]
