"""What a training function's study says of itself: its best trials, how sure, and in figures."""

import json
import math
from collections import Counter
from collections.abc import Sequence

from reports._ranking import number, objective_of
from reports.comparing.wording import gaps_of
from reports.frames import StudyFrames
from reports.html._words import value_of
from reports.trials import SearchTrials, ranked
from storage.wording import counted, listed

_BEST = 10


def how_sure(frames: StudyFrames, found: Sequence[SearchTrials]) -> list[str]:
    """How far the next trial is behind the best one, beside what seeds alone do."""
    said = []
    for search in found:
        order = [row for row in ranked(search) if row.value is not None]
        if len(order) < 2 or order[0].value is None or order[1].value is None:
            continue
        gaps = gaps_of(objective_of(frames, search.search))
        behind = number(gaps, abs(order[1].value - order[0].value), plus=False)
        whose = f"{search.search}: the" if len(found) > 1 else "The"
        text = f"{whose} next, trial {order[1].number}, is {behind} behind"
        spread = seeds_sd(frames, search, order[0].number)
        if math.isnan(spread):
            said.append(f"{text}; with one seed nothing tells whether that is luck.")
            continue
        n_seeds = counted(len(order[0].seeds), "seed")
        word = "more" if spread > abs(order[1].value - order[0].value) else "less"
        size = number(gaps, spread, plus=False)
        said.append(
            f"{text}; the {n_seeds} of the best have a standard deviation of {size}, which is "
            f"{word}. The best of many looks better than it is, on the seeds that chose it."
        )
    return said


def what_would_tell(frames: StudyFrames, found: Sequence[SearchTrials]) -> list[str]:
    """More seeds where there are few, more trials where the last ones still brought something."""
    said = []
    if left := sum(r.state in ("waiting", "running") for search in found for r in search.trials):
        said.append(f"Finish the study: {counted(left, 'trial')} outstanding.")
    if len(frames.seeds) < 3:
        said.append(f"More seeds: there are {len(frames.seeds)}, and each trial is their mean.")
    for search in found:
        order = [row for row in ranked(search) if row.value is not None]
        last = max((row.number for row in search.trials), default=0)
        if order and last >= _BEST and order[0].number > 0.8 * last:
            said.append(
                f"More trials of {search.search}: its best one is number {order[0].number} of "
                f"0 to {last}, so that better ones may still come."
            )
    return said


def history_seen(frames: StudyFrames, search: SearchTrials) -> str:
    """Which trial is the best so far, and how many came after it."""
    order = [row for row in ranked(search) if row.value is not None]
    if not order or order[0].value is None:
        return ""
    best = order[0]
    after = sum(row.number > best.number for row in order)
    spread = seeds_sd(frames, search, best.number)
    gaps = gaps_of(objective_of(frames, search.search))
    within = (
        "one seed"
        if math.isnan(spread)
        else f"standard deviation over {len(best.seeds)} seeds {number(gaps, spread, plus=False)}"
    )
    value = number(objective_of(frames, search.search), order[0].value)
    return (
        f"Of {counted(len(order), 'trial')} with a value, number {best.number} is the best, at "
        f"{value} ({within}); {after} came after it."
    )


def curves_seen(search: SearchTrials) -> str:
    """How the trials have ended."""
    states = Counter(row.state for row in search.trials)
    ways = [f"{n:,} {state}" for state, n in states.most_common()]
    return f"Of {len(search.trials):,} trials, {listed(ways)}."


def parallel_seen(search: SearchTrials) -> str:
    """Which values the best ten trials have."""
    order = [row for row in ranked(search) if row.value is not None][:_BEST]
    points = [json.loads(row.params) for row in order]
    if len(points) < _BEST:
        return ""
    names = dict.fromkeys(name for point in points for name in point)
    said = [f"{name} {_values([point.get(name) for point in points])}" for name in names]
    return f"The best {_BEST} trials have {listed(said)}."


def _values(found: Sequence[object]) -> str:
    """``0.01 to 0.03``, or ``relu or tanh`` of what is no number."""
    numbers = [v for v in found if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < len(found):
        return " or ".join(sorted({value_of(value) for value in found}))
    low, high = value_of(min(numbers)), value_of(max(numbers))
    return low if low == high else f"{low} to {high}"


def seeds_sd(frames: StudyFrames, search: SearchTrials, trial: int) -> float:
    """Standard deviation over the seeds of a trial on validation; NaN with one."""
    runs = frames.runs_of(search.search)
    mine = runs[runs["trial"] == trial]
    return float(mine["value_val"].std(ddof=1))
