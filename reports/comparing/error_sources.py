"""What the intervals of a comparison hold, and what they do not: said once beside it."""

from collections.abc import Iterator

from reports._ranking import objective_of
from reports._sampling import distinct_size, sampling_error_points
from reports._spread import baseline_values
from reports.frames import StudyFrames
from storage.objectives.delta_m import NAME as DELTA_M


def error_sources(frames: StudyFrames) -> tuple[str, ...]:
    """A sentence for each source of error."""
    return tuple(_sources(frames))


def _sources(frames: StudyFrames) -> Iterator[str]:
    n_seeds = len(frames.seeds)
    if n_seeds < 2:
        yield "With one seed nothing tells how much values differ from seed to seed: no intervals."
        return
    yield "Intervals are 95 % over seeds, given the one split of the data."
    yield from _of_baseline(frames)
    points = sampling_error_points(frames, "test")
    if points is not None and objective_of(frames).name == DELTA_M:
        yield (
            f"Beside them: {distinct_size(frames, 'test'):,} test samples give each Δm a standard "
            f"error of at least {points:.1f} points. Methods are tested on the same samples, so "
            "their differences have less of it."
        )


def _of_baseline(frames: StudyFrames) -> Iterator[str]:
    base = frames.standing_baseline("test")
    if not base:
        return
    names = [(task, name) for task, name, _ in objective_of(frames).metrics]
    known = baseline_values(frames)
    if all(name in known for name in names):
        inside = "Those of Δm" if objective_of(frames).name == DELTA_M else "Those against STL"
        yield f"{inside} hold the seed error of the single-task networks, too."
    else:
        yield (
            "The seed error of the single-task networks is not known (imported, or one seed), and "
            "in no interval."
        )
