from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from trainers.randomness import Key

paths = st.lists(st.text("abc/7", min_size=1, max_size=4) | st.integers(0, 9), max_size=4)


def at(parts: list[str | int]) -> Key:
    key = Key("7")
    for part in parts:
        key = key / part
    return key


@given(paths)
def test_equal_addresses_give_equal_draws(parts: list[str | int]) -> None:
    first, second = at(parts).generator(), at(parts).generator()
    assert torch.equal(torch.rand(3, generator=first), torch.rand(3, generator=second))


@given(paths, paths)
def test_different_addresses_have_different_seeds(
    first: list[str | int], second: list[str | int]
) -> None:
    same = at(first).path == at(second).path
    assert (at(first).seed == at(second).seed) is same


@given(paths)
def test_a_seed_fits_into_63_bits(parts: list[str | int]) -> None:
    assert 0 <= at(parts).seed < 2**63


def test_a_seed_is_the_same_on_every_machine() -> None:
    # blake2b of "7/order/3", eight bytes, big endian, halved
    assert (Key("7") / "order" / 3).seed == 2396369170524145093


def test_drawing_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    torch.rand(3, generator=Key("7").generator())
    assert torch.equal(torch.get_rng_state(), before)


def test_the_global_generator_is_seeded_as_torch_does() -> None:
    key = Key("7") / "dropout" / 1
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(key.seed)
        expected = torch.rand(5)
        key.seed_global(torch.device("cpu"))
        assert torch.equal(torch.rand(5), expected)
