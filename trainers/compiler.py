"""Keeps torch's compiler out of processes that compile nothing.

Torch's optimisers and dispatch modes tell the compiler, at their first call, that they are not to
be compiled, and import it for that: 1.7 s in every worker.
"""

from __future__ import annotations


def keep_out() -> None:
    """Mark what is not to be compiled, as the compiler itself would, without importing it."""
    import torch
    from torch.utils.flop_counter import _FlopCounterMode

    wrapper = torch._disable_dynamo(keep_out).__code__  # type: ignore[attr-defined]
    for owner in (
        *(torch.optim.Optimizer, torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW),
        _FlopCounterMode,
    ):
        for member in vars(owner).values():
            if getattr(member, "__code__", None) is wrapper:
                raw = member.__wrapped__
                setattr(raw, "__dynamo_disable", raw)
