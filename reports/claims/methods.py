"""Which searches a claim is about, and whether outstanding runs can still change them."""

from collections.abc import Iterable, Sequence

from reports._eligible import eligible
from reports._titles import title_of, weighting_of
from reports.comparing.rows import runs_final
from reports.comparing.winners import winner_of
from reports.frames import StudyFrames


def search_of(frames: StudyFrames, weighting: str) -> str | None:
    """The search of a weighting; of several the one whose winner is best on validation."""
    mine = [search for search in frames.searches if weighting_of(frames, search) == weighting]
    return best_on_validation(frames, mine) or next(iter(mine), None)


def best_on_validation(frames: StudyFrames, searches: Sequence[str]) -> str | None:
    """The search whose winner is best on validation; None while none has a winner."""
    keys = {
        search: float(trials.keys.mean(axis=1)[best])
        for search in searches
        if len((trials := eligible(frames, search)).numbers)
        and (best := trials.best(trials.keys.mean(axis=1))) is not None
    }
    return min(keys, key=keys.__getitem__, default=None)


def outstanding(frames: StudyFrames, searches: Iterable[str]) -> str:
    """What is missing before nothing can change these searches any more; empty if nothing is."""
    return " and ".join(filter(None, (_missing(frames, search) for search in searches)))


def _missing(frames: StudyFrames, search: str) -> str:
    title, (finished, planned) = title_of(frames, search), runs_final(frames, search)
    if finished < planned:
        return f"{title} has {finished} of {planned} runs"
    return "" if winner_of(frames, search) else f"{title} has no trial done on every seed"
