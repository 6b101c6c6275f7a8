"""The last batch of an epoch, if it holds a single sample: batch normalisation stops there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from study.planning.plan import Plan

_WAY_OUT = "Set `drop_last = true` in [training], or take another `batch_size`."


def refusal(why: str) -> str:
    """What to say of a network that fails on it.

    Args:
        why: The exception.
    """
    return (
        "A network must train on every batch of an epoch. The last one holds one sample, on which "
        f"this network fails: {why}. {_WAY_OUT}"
    )


def likely(plan: Plan) -> str:
    """What to say before anybody has looked at the network; empty if there is no such batch."""
    n_samples, size = plan.card.sizes.get("train", 0), plan.training.batch_size
    if n_samples < 2 or plan.training.samples_of(n_samples) % size != 1 or size == 1:
        return ""
    return (
        f"{n_samples:,} training samples in batches of {size:,} leave one for the last batch, "
        f"which stops a network with batch normalisation; --probe tries it. {_WAY_OUT}"
    )
