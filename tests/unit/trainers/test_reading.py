"""Batches are made ahead of who takes them, in order, and by nobody once nobody takes them."""

from __future__ import annotations

import gc
import threading
import traceback
from collections.abc import Iterator

import pytest
import torch

from tests.decoding import Decoding
from trainers.engines import open_session
from trainers.protocol import Batch
from trainers.randomness import Key
from trainers.reading import AHEAD, ReadAhead, ahead, to_device

DEADLINE_S = 60.0


BEFORE: set[threading.Thread] = set()


@pytest.fixture(autouse=True)
def those_of_tests_before_are_not_ours() -> None:
    BEFORE.clear()
    BEFORE.update(threading.enumerate())


def readers() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "reading ahead" and t not in BEFORE]


@pytest.mark.parametrize("n", [0, 1, AHEAD, 10 * AHEAD])
def test_all_comes_in_order(n: int) -> None:
    assert list(ahead(lambda: range(n))) == list(range(n))
    assert readers() == []


def test_the_next_is_made_before_it_is_asked_for() -> None:
    second = threading.Event()

    def make() -> Iterator[int]:
        yield 1
        second.set()
        yield 2

    items = ahead(make)
    assert next(items) == 1
    assert second.wait(DEADLINE_S)
    items.close()


def test_no_more_is_made_than_there_is_room_for() -> None:
    made: list[int] = []

    def make() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    for taken, _ in enumerate(items := ahead(make, most=2), start=1):
        assert len(made) <= taken + 2
        if taken == 20:
            break
    items.close()
    assert len(made) <= 22


def test_who_stops_early_ends_the_thread_and_what_it_reads() -> None:
    closed = threading.Event()

    def make() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    items = ahead(make)
    next(items)
    assert len(readers()) == 1
    items.close()
    assert readers() == []
    assert closed.is_set()


def test_a_generator_that_is_forgotten_ends_its_thread() -> None:
    items = ahead(lambda: iter(int, 1))
    next(items)
    del items
    gc.collect()
    assert readers() == []


@pytest.mark.parametrize("kind", [ValueError, SystemExit])
def test_an_error_comes_after_what_was_good_with_its_own_traceback(
    kind: type[BaseException],
) -> None:
    def torn() -> Iterator[int]:
        yield 1
        raise kind("no more")

    items = ahead(torn)
    assert next(items) == 1
    with pytest.raises(kind, match="no more") as caught:
        next(items)
    assert "torn" in [frame.name for frame in traceback.extract_tb(caught.tb)]
    assert readers() == []


def test_what_is_read_needs_no_derivatives() -> None:
    weight = torch.ones(1, requires_grad=True)
    (item,) = ahead(lambda: (2 * weight for _ in range(1)))
    assert not item.requires_grad


def test_a_batch_goes_to_the_device_with_all_its_tensors() -> None:
    inputs = {"image": torch.ones(2, 3), "sizes": [torch.ones(2), (torch.ones(2), "text")]}
    batch = Batch(inputs, {"a": torch.ones(2), "b": {"mask": torch.ones(2)}})
    moved = to_device(batch, torch.device("meta"))
    tensors = [
        moved.inputs["image"],
        moved.inputs["sizes"][0],
        moved.inputs["sizes"][1][0],
        moved.targets["a"],
        moved.targets["b"]["mask"],
    ]
    assert [tensor.device.type for tensor in tensors] == ["meta"] * 5
    assert moved.inputs["sizes"][1][1] == "text"


def test_a_session_reads_streamed_sources_ahead_and_others_as_they_are() -> None:
    streamed, plain = (open_session(Decoding(streamed=s), "cpu") for s in (True, False))
    assert (streamed.streamed, plain.streamed) == (True, False)
    assert {type(source) for source in streamed.sources.values()} == {ReadAhead}
    assert ReadAhead not in {type(source) for source in plain.sources.values()}
    assert streamed.sources["train"].size == plain.sources["train"].size


def test_a_look_at_a_few_samples_makes_no_others() -> None:
    problem = Decoding()
    source = open_session(problem, "cpu").sources["train"]
    next(iter(source.batches(torch.arange(2), 2, Key("look"))))
    assert problem.made["train"] == {("look", 0): 1, ("look", 1): 1}
