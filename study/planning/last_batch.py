"""The last batch of an epoch: the only one, or of a single sample, at which networks may stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from study.errors import BadSpec

if TYPE_CHECKING:
    from trainers.cards import ProblemCard
    from trainers.jobs import Training

_WAY_OUT = "Set `drop_last = true` in [training], or take another `batch_size`."


def refuse_none(card: ProblemCard, training: Training) -> None:
    """Refuse epochs without a batch, which workers could not train.

    Raises:
        BadSpec: `drop_last` leaves none.
    """
    n_samples = card.sizes.get("train", 0)
    if n_samples and not training.samples_of(n_samples):
        raise BadSpec(
            f"[training] `drop_last` leaves whole batches only. Got {n_samples:,} training samples "
            f"and `batch_size = {training.batch_size:,}`: none. Lower `batch_size`."
        )


def refusal(why: str) -> str:
    """What to say of a network that fails on it.

    Args:
        why: The exception.
    """
    return (
        "A network must train on every batch of an epoch. The last one holds one sample, on which "
        f"this network fails: {why}. {_WAY_OUT}"
    )


def likely(card: ProblemCard, training: Training) -> str:
    """What to say before anybody has looked at the network; empty if there is no such batch."""
    n_samples, size = card.sizes.get("train", 0), training.batch_size
    if n_samples < 2 or training.samples_of(n_samples) % size != 1 or size == 1:
        return ""
    return (
        f"{n_samples:,} training samples in batches of {size:,} leave one for the last batch, "
        f"which stops a network with batch normalisation; --probe tries it. {_WAY_OUT}"
    )
