"""Which methods of a column cannot be told from its best one (MEASURES M12)."""

import math
from collections.abc import Sequence

from reports._ranking import delta_m_of, objective_of
from reports.comparing.scores import gap, scores_by
from reports.frames import StudyFrames
from reports.inference import holm_levels
from storage.objectives.delta_m import NAME as DELTA_M


def told_apart(
    frames: StudyFrames, column: tuple[str, str], searches: Sequence[str]
) -> frozenset[str]:
    """The best search of a column, and those whose difference to it has an interval with 0 in it.

    The differences are one family, with intervals after Holm.

    Args:
        column: Task and metric; without a task what methods are ranked by, or delta_m.
        searches: Those whose values no outstanding run can change.

    Returns:
        Nothing where nothing is compared: with fewer than two searches, or without intervals.
    """
    known = {search: scores_by(frames, search, column) for search in searches}
    scores = {search: one for search, one in known.items() if one and math.isfinite(one.value)}
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


def _sign(frames: StudyFrames, column: tuple[str, str]) -> float:
    """+1 if lower is better, else -1."""
    if column[0]:
        return next(m.sign for m in frames.metrics if (m.task, m.name) == column)
    return delta_m_of(frames).sign if column[1] == DELTA_M else objective_of(frames).sign
