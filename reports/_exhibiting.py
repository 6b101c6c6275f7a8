"""Of which run a report draws what it shows: of the best trial's first seed."""

from dataclasses import dataclass
from typing import Any

from reports._once import once_per_study
from reports.exhibits import Exhibit, by_name
from reports.frames import StudyFrames
from reports.trials import TrialRow, ranked, trials


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhibitingRun:
    """The run of a search that a report draws the exhibits of.

    Attributes:
        metric: What the trial is the best by, in words.
    """

    search: str
    trial: int
    seed: int
    run: int
    metric: str
    exhibits: tuple[Exhibit, ...]


@once_per_study
def exhibiting_runs(frames: StudyFrames) -> tuple[ExhibitingRun, ...]:
    """Of each search that shows anything: its best trial's run on the first seed."""
    if not (frames.of_function or frames.of_trainer):
        return ()  # engines of weightings show nothing, and such a study may have many trials
    chosen = [
        (search.search, search.metric, best, _first_run(frames, search.search, best))
        for search in trials(frames)
        if (best := next((row for row in ranked(search) if row.value is not None), None))
    ]
    rows: dict[int, list[Any]] = {}
    for row in frames.views.exhibits([run for *_, run in chosen]):
        rows.setdefault(row.run, []).append(row)
    return tuple(
        ExhibitingRun(
            search=search,
            trial=best.number,
            seed=min(best.seeds),
            run=run,
            metric=metric,
            exhibits=by_name(rows[run]),
        )
        for search, metric, best, run in chosen
        if run in rows
    )


def _first_run(frames: StudyFrames, search: str, best: TrialRow) -> int:
    runs = frames.runs_of(search)
    mine = runs[(runs["trial"] == best.number) & (runs["seed"] == min(best.seeds))]
    return int(mine["run"].iloc[0])
