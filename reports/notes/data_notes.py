"""Fair-play notes on the data, and on values outside what a formula is for."""

from collections.abc import Iterator
from typing import Final

from reports._ranking import objective_of
from reports._sampling import distinct_size, sampling_error_points
from reports._titles import title_of
from reports.frames import StudyFrames, TaskMetric
from reports.notes.note import Note
from storage.objectives.delta_m import NAME as DELTA_M

_NOT_POSITIVE: Final = "not_positive_steps"  # a train metric of weightings that assume the contrary


def small_validation(frames: StudyFrames) -> Iterator[Note]:
    """The validation split is too small to tell points of delta_m apart."""
    if objective_of(frames).name != DELTA_M:
        return  # the margin is one of its points
    points = sampling_error_points(frames, "validation")
    margin = float(frames.spec["compare"]["margin"])
    if points is not None and points > margin:
        size = distinct_size(frames, "validation")
        yield Note(
            kind="small validation",
            search=None,
            text=f"{size:,} distinct validation examples give Δm a standard error of at least "
            f"{points:.1f} points, more than the margin of {margin:g}: which trial wins may hang "
            "on the split.",
        )


def few_distinct(frames: StudyFrames) -> Iterator[Note]:
    """A split that decides or judges has fewer distinct samples than its size says."""
    sizes = frames.card.get("sizes", {})
    told = [
        f"{sizes[split]:,} {split} samples of {distinct_size(frames, split):,} distinct ones"
        for split in ("validation", "test")
        if split in sizes and distinct_size(frames, split) < sizes[split]
    ]
    if told:
        yield Note(
            kind="few distinct samples",
            search=None,
            text=f"The problem composes {' and '.join(told)}: errors on samples that share a part "
            "are not independent, so that these splits say less than their sizes promise.",
        )


def losses_not_positive(frames: StudyFrames) -> Iterator[Note]:
    """Losses were 0 or below under a method that assumes positive ones."""
    rows = frames.epochs.rows(split="train", metric=_NOT_POSITIVE)
    if rows.empty:
        return
    runs = frames.runs_by_id()
    searches = rows["run"].map(runs["search"])
    steps = runs.groupby("search")["grad_evals"].sum()
    for search in frames.searches:
        mine = rows[searches == search].groupby("task", sort=False)["value"].sum()
        for task in (task for task in frames.tasks if task in mine.index):
            yield Note(
                kind="losses not positive",
                search=search,
                text=f"assumes losses above 0, and that of task {task} was not in "
                f"{mine[task]:,.0f} of {steps[search]:,.0f} training steps: there it is another "
                "method than its name says. Give the task a loss that stays above 0, or compare "
                "methods that take any.",
                about=title_of(frames, search),
            )


def signed_metrics(frames: StudyFrames) -> Iterator[Note]:
    """A metric can be negative, so that relative changes depend on where its zero lies."""
    if objective_of(frames).name != DELTA_M and frames.baseline.empty:
        return  # delta_m is not shown
    lowest = frames.epochs.lowest_negative()
    for metric in frames.metrics:
        seen = lowest.get((metric.task, metric.name))
        if seen is not None or metric.signed:
            yield Note(kind="signed metric", search=None, text=_signed(metric, seen))


def data_caveats(frames: StudyFrames) -> Iterator[Note]:
    """What the problem's card says about its data."""
    for caveat in frames.card.get("caveats", ()):
        yield Note(kind="data", search=None, text=str(caveat))


def _signed(metric: TaskMetric, lowest: float | None) -> str:
    seen = "" if lowest is None else f" (down to {lowest:.4g} here)"
    return (
        f"{metric.title} of task {metric.task} can be negative{seen}: its zero is arbitrary, and "
        "so is a change relative to its baseline, which Δm counts. Read its own column, or "
        "judge the task by an error."
    )
