import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainers.problems import TensorSource
from trainers.problems.errors import BadShape
from trainers.randomness import Key

KEY = Key("test")


def _source(n: int) -> TensorSource:
    inputs = torch.arange(3 * n, dtype=torch.float32).reshape(n, 3)
    return TensorSource(inputs, {"a": torch.arange(n), "b": inputs.sum(dim=1)})


@given(n=st.integers(1, 40), batch_size=st.integers(1, 50), seed=st.integers(0, 2**32))
def test_ordered_batches_are_the_samples_in_that_order(n: int, batch_size: int, seed: int) -> None:
    source = _source(n)
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    batches = list(source.batches(order, batch_size, KEY))
    assert torch.equal(torch.cat([batch.inputs for batch in batches]), source.inputs[order])
    for task, target in source.targets.items():
        assert torch.equal(torch.cat([batch.targets[task] for batch in batches]), target[order])


@given(n=st.integers(1, 40), batch_size=st.integers(1, 50))
def test_only_the_last_batch_is_smaller(n: int, batch_size: int) -> None:
    sizes = [len(batch.inputs) for batch in _source(n).batches(torch.arange(n), batch_size, KEY)]
    assert sizes[:-1] == [batch_size] * (n // batch_size - (n % batch_size == 0))


def test_an_order_may_name_fewer_samples() -> None:
    (batch,) = _source(10).batches(torch.tensor([7, 2]), 4, KEY)
    assert batch.targets["a"].tolist() == [7, 2]


def test_without_an_order_batches_are_views_in_stored_order() -> None:
    source = _source(10)
    batches = list(source.batches(None, 4, KEY))
    starts = [batch.inputs.data_ptr() - source.inputs.data_ptr() for batch in batches]
    assert starts == [0, 4 * 3 * 4, 8 * 3 * 4]
    assert [len(batch.targets["b"]) for batch in batches] == [4, 4, 2]


def test_size_is_the_number_of_samples() -> None:
    assert _source(7).size == 7


def test_targets_of_another_length_are_refused() -> None:
    with pytest.raises(BadShape, match="7 inputs and 6 targets of task `a`"):
        TensorSource(torch.zeros(7, 2), {"a": torch.zeros(6)})
