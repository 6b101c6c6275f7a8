"""All claims in their order: a new one is a file and a line here."""

from collections.abc import Callable
from functools import partial

from reports.claims.adam_dominates import adam_dominates
from reports.claims.better import better
from reports.claims.claim import Claim
from reports.claims.comparable import comparable
from reports.claims.concave_share import concave_share
from reports.claims.conflicts_alike import conflicts_alike
from reports.claims.decay_matters_less import decay_matters_less
from reports.claims.evidence import refuse_without_weightings, told_beforehand
from reports.claims.no_gain import no_gain
from reports.claims.noise_turned_down import noise_turned_down
from reports.claims.size_matters import Sized, size_matters
from reports.claims.transfers_better import transfers_better
from reports.frames import StudyFrames
from reports.importances import Estimators


def claims_of(frames: StudyFrames, estimators: Estimators | None = None) -> tuple[Claim, ...]:
    """What a study says to each claim, finished or not.

    Args:
        estimators: Of importances, where trials are no full grid; None for none.

    Raises:
        NoTable: The study is sealed, or is that of a training function or a trainer.
    """
    refuse_without_weightings(frames)
    of_a_study: tuple[Callable[[StudyFrames], Claim], ...] = (
        comparable,
        better,
        partial(decay_matters_less, estimators=estimators),
        no_gain,
        adam_dominates,
        conflicts_alike,
        transfers_better,
        noise_turned_down,
        concave_share,
    )
    return tuple(told_beforehand(claim(frames), frames) for claim in of_a_study)


def claims_of_one(frames: StudyFrames, estimators: Estimators | None = None) -> tuple[Claim, ...]:
    """The same and what it says to the claim about studies of several sizes, in their order.

    Raises:
        NoTable: As `claims_of`.
    """
    alone = size_matters([Sized(frames=frames, n_parameters=None)])
    return in_order(*claims_of(frames, estimators), alone)


def in_order(*claims: Claim) -> tuple[Claim, ...]:
    """Claims by their numbers."""
    return tuple(sorted(claims, key=lambda claim: int(claim.name.removeprefix("C"))))
