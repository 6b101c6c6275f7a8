"""Fair-play notes (MEASURES M14): what a reader must know before believing a comparison."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from reports.frames import StudyFrames
from reports.notes import condition_notes as condition
from reports.notes import cost_notes as cost
from reports.notes import data_notes as data
from reports.notes import edge_notes as edge
from reports.notes import training_notes as training
from reports.notes import value_notes as value
from reports.notes.note import MergedNote, Note

__all__ = ["MergedNote", "Note", "fair_play_notes", "merged"]

# Each rule looks at the whole study and yields what it finds; the order is that of the report.
_RULES: Final[tuple[Callable[[StudyFrames], Iterator[Note]], ...]] = (
    condition.fixed_beforehand,
    condition.told_everywhere,
    condition.few_seeds,
    condition.unequal_seeds,
    condition.unequal_grids,
    condition.unequal_effort,
    condition.equal_weighting_tuned_less,
    condition.head_start,
    condition.baseline_imported,
    edge.baseline_untuned,
    edge.baseline_on_edge,
    edge.optimum_on_edge,
    edge.weights_on_edge,
    edge.equal_weighting,
    training.baseline_undertrained,
    training.undertrained,
    value.unlike_values,
    value.margin_below_resolution,
    value.one_metric,
    data.few_distinct,
    data.small_validation,
    data.losses_not_positive,
    data.signed_metrics,
    condition.mixed_conditions,
    condition.mixed_user_code,
    cost.solo_equivalent,
    cost.not_calibrated,
    cost.no_longer_planned,
    data.data_caveats,
)


def fair_play_notes(frames: StudyFrames) -> tuple[Note, ...]:
    """All notes that fire for this study, finished or not."""
    return tuple(note for rule in _RULES for note in rule(frames))


def merged(notes: Iterable[Note]) -> tuple[MergedNote, ...]:
    """Put notes of one kind and text together, in the order of their first appearance."""
    groups: dict[tuple[str, str], list[str]] = {}
    for note in notes:
        groups.setdefault((note.kind, note.text), []).append(note.about)
    return tuple(
        MergedNote(kind=kind, about=tuple(filter(None, about)), text=text)
        for (kind, text), about in groups.items()
    )
