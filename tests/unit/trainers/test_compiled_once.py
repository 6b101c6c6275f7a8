"""Compiling a function once, by arguments of torch 2.14 or by settings of torch 2.11."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from inspect import Parameter, Signature, signature
from typing import Any

import pytest
import torch
from torch import Tensor

from trainers.engines.compiled import functions as _compiled
from trainers.engines.compiled.functions import compiled_once

OLD = ("fullgraph", "dynamic", "backend", "mode", "options", "disable")


@pytest.fixture(params=["2.14", "2.11"])
def version(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Torch as it is, and as it was: without two arguments; it traces and compiles nothing."""
    import torch._dynamo

    whole: Any = torch.compile

    def traced(function: Any, **settings: Any) -> Any:
        unknown = settings.keys() - set(OLD) if request.param == "2.11" else ()
        assert not unknown, "torch 2.11 does not know these"
        return whole(function, **{**settings, "options": None, "backend": "eager"})

    names = OLD if request.param == "2.11" else tuple(signature(whole).parameters)
    parameters = [Parameter(name, Parameter.KEYWORD_ONLY) for name in names]
    traced.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    monkeypatch.setattr(_compiled.torch, "compile", traced)
    with torch._dynamo.config.patch(
        recompile_limit=torch._dynamo.config.recompile_limit,
        fail_on_recompile_limit_hit=torch._dynamo.config.fail_on_recompile_limit_hit,
    ):
        yield request.param
    torch._dynamo.reset()


def scaled(factor: float) -> Callable[..., Tensor]:
    """Functions of one text, as an engine makes one for each network."""

    def function(values: Tensor) -> Tensor:
        return values * factor

    return function


def test_functions_of_one_text_are_compiled_once_each(version: str) -> None:
    first, second = (compiled_once(scaled(factor), {}) for factor in (2.0, 3.0))
    for _ in range(2):
        assert first(torch.ones(2)).tolist() == [2.0, 2.0]
        assert second(torch.ones(3)).tolist() == [3.0, 3.0, 3.0]


def test_another_form_is_no_reason_to_compile_again(version: str) -> None:
    from torch._dynamo import exc

    function = compiled_once(scaled(2.0), {})
    function(torch.ones(2))
    with pytest.raises((exc.TorchDynamoException, exc.FailOnRecompileLimitHit)):
        function(torch.ones(5))
