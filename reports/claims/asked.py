"""All claims in their order: a new one is a file and a line here."""

from collections.abc import Callable
from typing import Final

from reports.claims.better import better
from reports.claims.claim import Claim
from reports.claims.comparable import comparable
from reports.claims.concave_share import concave_share
from reports.claims.decay_matters_less import decay_matters_less
from reports.claims.no_gain import no_gain
from reports.frames import StudyFrames
from reports.tables.method_table import refuse_without_methods

_OF_A_STUDY: Final[tuple[Callable[[StudyFrames], Claim], ...]] = (
    comparable,
    better,
    decay_matters_less,
    no_gain,
    concave_share,
)


def claims_of(frames: StudyFrames) -> tuple[Claim, ...]:
    """What a study says to each claim, finished or not.

    Raises:
        NoTable: The study is sealed, or is that of a training function.
    """
    refuse_without_methods(frames)
    return tuple(claim(frames) for claim in _OF_A_STUDY)
