"""Fair-play notes on values outside what a formula is for: negative metrics, losses below 0."""

from collections.abc import Iterator
from typing import Final

from reports._titles import title_of
from reports.frames import Metric, StudyFrames
from reports.notes.note import Note

_NOT_POSITIVE: Final = "not_positive_steps"  # a train metric of weightings that assume the contrary


def losses_not_positive(frames: StudyFrames) -> Iterator[Note]:
    """Losses were 0 or below under a method that assumes positive ones."""
    rows = frames.epochs.rows(split="train", metric=_NOT_POSITIVE)
    if rows.empty:
        return
    runs = frames.runs.set_index("run")
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
    lowest = frames.epochs.lowest_negative()
    for metric in frames.metrics:
        seen = lowest.get((metric.task, metric.name))
        if seen is not None or metric.signed:
            yield Note(kind="signed metric", search=None, text=_signed(metric, seen))


def _signed(metric: Metric, lowest: float | None) -> str:
    seen = "" if lowest is None else f" (down to {lowest:.4g} here)"
    return (
        f"{metric.title} of task {metric.task} can be negative{seen}: its zero is arbitrary, and "
        "so is a change relative to its baseline, which delta_m counts. Read its own column, or "
        "judge the task by an error."
    )
