"""Fair-play notes on what the methods' values are made of, and how finely they tell them apart."""

from collections.abc import Iterator
from itertools import combinations
from statistics import median

from reports._ranking import objective_of
from reports._titles import title_of
from reports.comparing.differences import difference, margin_of
from reports.comparing.metric_shares import metric_points, shares_of
from reports.comparing.winners import winner_of
from reports.frames import StudyFrames
from reports.notes.note import Note
from storage.objectives.delta_m import NAME as DELTA_M


def margin_below_resolution(frames: StudyFrames) -> Iterator[Note]:
    """The typical interval of a difference between two methods is wider than the margin."""
    margin = margin_of(frames)
    pairs = [difference(frames, *pair) for pair in combinations(frames.searches, 2)]
    widths = [found.resolution for found in pairs if found is not None and found.interval]
    if margin is None or not widths or median(widths) <= margin:
        return
    coarse = sum(width > margin for width in widths)
    yield Note(
        kind="margin below resolution",
        search=None,
        text=f"The margin is {margin:g}, and differences between methods are known to "
        f"±{median(widths):.1f} points in the median (95 %); in {coarse} of {len(widths)} pairs "
        "more coarsely than the margin. Add seeds, or compare by a margin that can be resolved.",
    )


def unlike_values(frames: StudyFrames) -> Iterator[Note]:
    """Some winners were confirmed on fresh seeds, and others were not."""
    kinds: dict[str, list[str]] = {}
    for search in frames.searches:
        if (winner := winner_of(frames, search)) is not None:
            kinds.setdefault(winner.kind, []).append(title_of(frames, search))
    if len(kinds) > 1:
        told = "; ".join(f"{kind}: {', '.join(titles)}" for kind, titles in kinds.items())
        yield Note(
            kind="unlike values",
            search=None,
            text=f"Values rest on different things ({told}). They share no seeds, so that "
            "differences between the groups are known less well than within them.",
        )


def one_metric(frames: StudyFrames) -> Iterator[Note]:
    """One of several metrics makes up more than half of what methods gain and lose.

    Its share is that of |change| in the sum of them over all metrics. Methods that stay within the
    margin of their baseline in all metrics together are left out, and so are studies of one or two
    metrics, one of which has half of anything.
    """
    base = frames.standing_baseline("test")
    if objective_of(frames).name != DELTA_M or len(frames.metrics) < 3 or not base:
        return
    margin = margin_of(frames) or 0.0
    found: dict[tuple[str, str], list[str]] = {}
    for search in frames.searches:
        points = metric_points(frames, search)
        if sum(map(abs, points.values())) <= margin:
            continue
        shares = shares_of(points)
        largest = max(shares, key=lambda key: shares[key])
        if shares[largest] > 1 / 2:
            share = f"{title_of(frames, search)} {100 * shares[largest]:.0f} %"
            found.setdefault(largest, []).append(share)
    titles = {(metric.task, metric.name): metric.title.lower() for metric in frames.metrics}
    for (task, metric), told in found.items():
        whose = "these methods'" if len(told) > 1 else "this method's"
        yield Note(
            kind="one metric",
            search=None,
            text=f"More than half of what Δm adds up comes from one of {len(frames.metrics)} "
            f"metrics, {titles[task, metric]} of task {task} ({', '.join(told)}): {whose} "
            "place says mostly how that metric came out. Read the other columns, too.",
        )
