"""Which methods of a column cannot be told from its best one (MEASURES M12)."""

import math
from collections.abc import Mapping, Sequence

from reports._ranking import objective_of
from reports.comparing.scores import Scores, gap, metric_scores, scores_of
from reports.comparing.winners import winner_of
from reports.frames import StudyFrames
from reports.inference import holm_levels


def told_apart(
    frames: StudyFrames, column: tuple[str, str], searches: Sequence[str]
) -> frozenset[str]:
    """The best search of a column, and those whose difference to it has an interval with 0 in it.

    The differences are one family, with intervals after Holm.

    Args:
        column: Task and metric; without a task what methods are ranked by.
        searches: Those whose values no outstanding run can change.

    Returns:
        Nothing where nothing is compared: with fewer than two searches, or without intervals.
    """
    scores = _scores(frames, column, searches)
    if len(scores) < 2:
        return frozenset()
    sign = _sign(frames, column)
    best = min(scores, key=lambda search: (sign * scores[search].value, search))
    others = [search for search in scores if search != best]
    gaps = [gap(scores[best], scores[other])[0] for other in others]
    levels = holm_levels([found.p_value for found in gaps])
    intervals = [found.interval(level) for found, level in zip(gaps, levels, strict=True)]
    if not any(intervals):
        return frozenset()
    near = [
        other
        for other, interval in zip(others, intervals, strict=True)
        if interval is None or not interval.excludes(0.0)
    ]
    return frozenset([best, *near])


def _scores(
    frames: StudyFrames, column: tuple[str, str], searches: Sequence[str]
) -> Mapping[str, Scores]:
    """Search to its winner's scores, where they are finite."""
    found = {}
    for search in searches:
        winner = winner_of(frames, search)
        if winner is None:
            continue
        mine = (
            metric_scores(frames, search)[column]
            if column[0]
            else scores_of(frames, search, winner)
        )
        if math.isfinite(mine.value):
            found[search] = mine
    return found


def _sign(frames: StudyFrames, column: tuple[str, str]) -> float:
    """+1 if lower is better, else -1."""
    if not column[0]:
        return objective_of(frames).sign
    return next(m.sign for m in frames.metrics if (m.task, m.name) == column)
