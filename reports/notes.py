"""Fair-play notes (MEASURES M14): what a reader must know before believing a comparison."""

from collections.abc import Callable, Iterator
from typing import Final

from reports import _condition_notes as condition
from reports import _edge_notes as edge
from reports._note import Note
from reports.frames import StudyFrames

__all__ = ["Note", "fair_play_notes"]

# Each rule looks at the whole study and yields what it finds; the order is that of the report.
_RULES: Final[tuple[Callable[[StudyFrames], Iterator[Note]], ...]] = (
    condition.few_seeds,
    condition.unequal_seeds,
    condition.unequal_grids,
    condition.baseline_imported,
    edge.baseline_untuned,
    edge.baseline_on_edge,
    edge.optimum_on_edge,
    edge.weights_on_edge,
    condition.undertrained,
    condition.small_validation,
    condition.mixed_conditions,
    condition.no_longer_planned,
    condition.data_caveats,
)


def fair_play_notes(frames: StudyFrames) -> tuple[Note, ...]:
    """All notes that fire for this study, finished or not."""
    return tuple(note for rule in _RULES for note in rule(frames))
