"""Fair-play notes on how far the methods and their baseline were trained."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from reports._selected import selection_of
from reports._titles import title_of
from reports.comparing.winners import winner_of
from reports.frames import StudyFrames
from reports.notes.note import Note

_LATE_SHARE: Final = 0.9


def undertrained(frames: StudyFrames) -> Iterator[Note]:
    """The winner's best epochs lie, on average, in the last tenth of training."""
    for search in frames.searches:
        winner = winner_of(frames, search)
        if winner is not None and _still_improving(frames, winner.chosen_runs):
            yield Note(
                kind="undertrained",
                search=search,
                text=f"the winner's best epoch {_found(frames)} Train for more epochs.",
                about=title_of(frames, search),
            )


def baseline_undertrained(frames: StudyFrames) -> Iterator[Note]:
    """The best epochs of a single-task network lie, on average, in the last tenth of training."""
    table = frames.baseline[frames.baseline["standing"] & (frames.baseline["source"] == "trained")]
    runs = frames.runs[frames.runs["role"] == "baseline"]
    for task, trial in table.drop_duplicates("task")[["task", "trial"]].itertuples(index=False):
        search = f"stl/{task}"
        chosen = runs.loc[(runs["search"] == search) & (runs["trial"] == trial), "run"]
        if _still_improving(frames, chosen.tolist()):
            yield Note(
                kind="baseline undertrained",
                search=search,
                text=f"the best epoch {_found(frames)} A baseline that is too weak flatters every "
                "method. Train for more epochs.",
                about=f"STL of task {task}",
            )


def _still_improving(frames: StudyFrames, runs: Collection[int]) -> bool:
    """Whether the selected epochs of these runs say that more epochs would have helped.

    They say nothing where the last epoch is selected in any case, or where the learning rate
    falls: the last epochs are then the best ones however many there are.
    """
    by_best = selection_of(frames).rule == "best"
    if not by_best or _decays(frames.spec.get("training", {}), _epochs(frames)):
        return False
    mean = frames.runs.loc[frames.runs["run"].isin(runs), "epoch_selected"].mean()
    return bool(mean > _LATE_SHARE * _epochs(frames))  # the mean of none is NaN


def _decays(training: Mapping[str, Any], epochs: int) -> bool:
    """Whether the learning rate at the end is lower than at the start."""
    schedule = training.get("schedule", "constant")
    if isinstance(schedule, str):
        return schedule == "cosine"
    return bool(schedule.get("gamma", 0.5) < 1 and schedule["step"] < epochs)


def _epochs(frames: StudyFrames) -> int:
    return int(frames.spec.get("training", {}).get("epochs", frames.runs["epochs"].max()))


def _found(frames: StudyFrames) -> str:
    return f"lies in the last 10 % of {_epochs(frames)} on average: it was still improving."
