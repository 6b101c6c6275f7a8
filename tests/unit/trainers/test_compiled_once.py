"""A compiled function is compiled once; another form of its arguments is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest
import torch
from torch import Tensor

from trainers.engines.compiled.functions import Compiled
from trainers.errors import NotCompilable
from trainers.protocol import Batch

CPU = torch.device("cpu")
BATCH = Batch(inputs=torch.ones(2), targets={})
MORE_THAN_TORCH_COMPILES_OF_ONE_FUNCTION = 10


@pytest.fixture(autouse=True)
def traced(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Torch traces, and translates nothing."""

    def compile_(function: Callable[..., Tensor], **settings: object) -> Callable[..., Tensor]:
        return whole(function, **{**settings, "options": None, "backend": "eager"})

    whole = torch.compile
    monkeypatch.setattr(torch, "compile", compile_)
    yield
    torch.compiler.reset()


def scaled(factor: float) -> Callable[..., Tensor]:
    """Functions of one text, as an engine makes one for each network."""

    def function(values: Tensor) -> Tensor:
        return values * factor

    return function


def test_functions_of_one_text_are_compiled_once_each() -> None:
    factors = [float(factor) for factor in range(MORE_THAN_TORCH_COMPILES_OF_ONE_FUNCTION)]
    functions = [Compiled(scaled(factor), BATCH, CPU) for factor in factors]
    for _ in range(2):
        for size, (factor, function) in enumerate(zip(factors, functions, strict=True), start=1):
            assert function(torch.ones(size)).tolist() == [factor] * size


def test_another_form_is_no_reason_to_compile_again() -> None:
    function = Compiled(scaled(2.0), BATCH, CPU)
    function(torch.ones(2))
    with pytest.raises(NotCompilable, match="same in every step"):
        function(torch.ones(5))
    assert function(torch.ones(2)).tolist() == [2.0, 2.0]


@pytest.mark.parametrize("calls_before", [0, 1])
def test_memory_that_is_full_is_nothing_against_a_network(calls_before: int) -> None:
    function = Compiled(scaled(2.0), BATCH, CPU)
    for _ in range(calls_before):
        function(torch.ones(2))
    function._losses = partial(_raise, torch.OutOfMemoryError("full"))
    with pytest.raises(torch.OutOfMemoryError):
        function(torch.ones(2))


def test_what_fails_in_a_later_step_is_not_put_down_to_compiling() -> None:
    function = Compiled(scaled(2.0), BATCH, CPU)
    function(torch.ones(2))
    function._losses = partial(_raise, RuntimeError("device-side assert"))
    with pytest.raises(RuntimeError, match="device-side assert"):
        function(torch.ones(2))


def _raise(error: Exception, *_: object) -> Tensor:
    raise error
