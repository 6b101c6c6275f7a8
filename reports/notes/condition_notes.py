"""Fair-play notes on the conditions under which the methods were tried and trained."""

from collections.abc import Iterator
from typing import Final

from reports._eligible import eligible
from reports._params import with_params
from reports._titles import title_of
from reports.comparing.effort import SHARED, is_equal_weighting, values_tried
from reports.frames import StudyFrames, part_names, stages_tuning, strategies
from reports.notes.note import Note
from storage.notices import ORACLE, more_seeds, notices
from storage.wording import counted

_FEW_SEEDS: Final = 3
_UNEQUAL_EFFORT: Final = 2  # the largest number of trials over the smallest
_SECONDS_DIFFER: Final = (
    "a second on one is not the cost of a second on another, and costs are added up as they are, "
    "not converted. They can be compared where the methods' shares are alike, or within a study "
    "on one type"
)


def told_everywhere(frames: StudyFrames) -> Iterator[Note]:
    """What must be known of any of its numbers: an oracle's choice, asynchronous stopping."""
    for text in notices(frames.spec):
        kind = "hidden truth" if text == ORACLE else "asynchronous stopping"
        yield Note(kind=kind, search=None, text=text)


def head_start(frames: StudyFrames) -> Iterator[Note]:
    """A search began from the network of another one, whose cost is not its own."""
    begun = {
        name: part["init_from"]
        for part in frames.spec.get("search", ())
        for name in part_names(part)
        if part.get("init_from")
    }
    for search in frames.searches:
        if search in begun:
            yield Note(
                kind="head start",
                search=search,
                text=f"its runs began from the best network of {begun[search]}, whose training is "
                "not in its cost. It is no comparison of weightings alone.",
                about=title_of(frames, search),
            )


def baseline_imported(frames: StudyFrames) -> Iterator[Note]:
    """The single-task numbers come from elsewhere."""
    table = frames.baseline[frames.baseline["standing"]]
    tasks = table.loc[table["source"] == "imported", "task"].unique()
    if len(tasks):
        yield Note(
            kind="baseline imported",
            search=None,
            text=f"The STL numbers of {', '.join(tasks)} were imported, not trained here: their "
            "cost, seeds and training are unknown, and they serve validation and test alike.",
        )


def unequal_grids(frames: StudyFrames) -> Iterator[Note]:
    """The methods' learning-rate grids, before any refinement, are not the same."""
    grids = {search: _lr_grid(frames, search) for search in frames.searches}
    grids = {search: grid for search, grid in grids.items() if grid}
    if len(set(grids.values())) > 1:
        told = "; ".join(
            f"{title_of(frames, search)}: {', '.join(f'{lr:g}' for lr in grid)}"
            for search, grid in grids.items()
        )
        yield Note(
            kind="unequal grids",
            search=None,
            text=f"The methods were not given the same learning rates ({told}).",
        )


def unequal_seeds(frames: StudyFrames) -> Iterator[Note]:
    """The methods were not run on the same seeds."""
    runs = frames.runs[frames.runs["planned"] & (frames.runs["role"] != "confirm")]
    seeds = {str(s): tuple(sorted(set(rows["seed"]))) for s, rows in runs.groupby("search")}
    if len(set(seeds.values())) > 1:
        told = "; ".join(f"{s}: {', '.join(map(str, mine))}" for s, mine in seeds.items())
        yield Note(
            kind="unequal seeds",
            search=None,
            text=f"The searches were not run on the same seeds ({told}).",
        )


def unequal_effort(frames: StudyFrames) -> Iterator[Note]:
    """Some winner was chosen among at least twice as many trials as another one."""
    found = {search: len(eligible(frames, search).numbers) for search in frames.searches}
    by_number: dict[int, list[str]] = {}
    for search, n_trials in sorted(found.items(), key=lambda item: item[1]):
        if n_trials:
            by_number.setdefault(n_trials, []).append(title_of(frames, search))
    if by_number and max(by_number) >= _UNEQUAL_EFFORT * min(by_number):
        told = "; ".join(f"{n}: {', '.join(titles)}" for n, titles in by_number.items())
        yield Note(
            kind="unequal effort",
            search=None,
            text=f"Winners were chosen among unequal numbers of trials ({told}). Who tries more "
            "finds more, whatever the method: read the values beside the costs.",
        )


def equal_weighting_tuned_less(frames: StudyFrames) -> Iterator[Note]:
    """Other methods were tried with more learning rates or weight decays than equal weighting."""
    for search in frames.searches:
        mine = values_tried(frames, search)
        if not is_equal_weighting(frames, search):
            continue
        more: dict[str, list[str]] = {}
        for other in frames.searches:
            for name, n_values in values_tried(frames, other).items():
                if n_values > mine[name]:
                    more.setdefault(name, []).append(f"{title_of(frames, other)} {n_values}")
        if more:
            told = "; ".join(
                f"{counted(mine[name], SHARED[name])}, {', '.join(others)}"
                for name, others in more.items()
            )
            yield Note(
                kind="equal weighting tuned less",
                search=search,
                text=f"it was tried with fewer values than others ({told}). What is better than "
                "it may owe that to its own tuning: give it the same learning rates and weight "
                "decays before anything is said to beat it.",
                about=title_of(frames, search),
            )


def fixed_beforehand(frames: StudyFrames) -> Iterator[Note]:
    """What was claimed before there were results, and whether these were sealed meanwhile."""
    compare = frames.spec["compare"]
    claim, was_sealed = compare["claim"], compare["sealed"]
    parts = []
    if claim:
        parts.append(f"Claimed before the first run: {claim}{'' if claim[-1] in '.!?' else '.'}")
    if was_sealed and not frames.sealed:
        parts.append(
            "Test values were sealed from the beginning, and no longer are: `weighbridge unseal "
            f"{frames.name}` says since when, and what was changed before."
        )
    if parts:
        yield Note(kind="fixed beforehand", search=None, text=" ".join(parts))


def few_seeds(frames: StudyFrames) -> Iterator[Note]:
    """There are fewer than three seeds."""
    n_seeds = len(frames.seeds)
    if n_seeds < _FEW_SEEDS:
        yield Note(
            kind="few seeds",
            search=None,
            text=f"{counted(n_seeds, 'seed')}: differences between methods may be luck. Use at "
            f"least {_FEW_SEEDS}; {more_seeds(frames.spec)}",
        )


def mixed_conditions(frames: StudyFrames) -> Iterator[Note]:
    """Runs were trained on several kinds of device or by several versions of the code."""
    of_runs = frames.attempts["kind"] == "run"
    for column, kind, meaning in (
        ("device", "mixed devices", _SECONDS_DIFFER),
        ("hardware", "mixed hardware", _SECONDS_DIFFER),
        ("code_version", "mixed code versions", "a difference may come from the code"),
    ):
        found = sorted(frames.attempts.loc[of_runs, column].dropna().unique())
        if len(found) > 1:
            text = f"Runs were trained with several values of {column} ({', '.join(found)}): "
            shares = _shares(frames, column) if meaning is _SECONDS_DIFFER else ""
            yield Note(kind=kind, search=None, text=f"{text}{meaning}.{shares}")


def mixed_user_code(frames: StudyFrames) -> Iterator[Note]:
    """The user's own modules changed while the study went on."""
    trained = (frames.attempts["kind"] == "run") & (frames.attempts["epochs"] > 0)
    attempts = frames.attempts.loc[trained, ["attempt", "run", "code_fingerprint"]]
    known = attempts.dropna(subset=["code_fingerprint"]).sort_values("attempt")
    versions = known["code_fingerprint"].unique()
    if len(versions) < 2:
        return
    of_run = frames.runs_by_id()["search"]
    told = []
    for version in versions:
        runs = known.loc[known["code_fingerprint"] == version, "run"].unique()
        searches = [title_of(frames, s) for s in of_run.reindex(runs).dropna().unique()]
        told.append(f"{version[:8]} {len(runs)} runs ({', '.join(searches)})")
    yield Note(
        kind="mixed user code",
        search=None,
        text=f"Runs were trained by {len(versions)} versions of your own code: {'; '.join(told)}, "
        "in this order. A difference between methods may come from the code; a weighting of your "
        "own that was added later makes a version, too.",
    )


def _shares(frames: StudyFrames, column: str) -> str:
    """How the device-seconds of each search divide among the values of a column."""
    of_run = frames.runs_by_id()["search"]
    attempts = frames.attempts[frames.attempts["kind"] == "run"]
    paid = attempts.groupby([attempts["run"].map(of_run), column])["device_s"].sum()
    told = []
    for search in frames.searches:
        mine = paid[search] if search in paid.index.get_level_values(0) else paid.iloc[:0]
        total = float(mine.sum())
        if total:
            parts = (f"{100 * s / total:.0f} % {name}" for name, s in mine.items() if s)
            told.append(f"{title_of(frames, search)} {', '.join(parts)}")
    return f" Shares of device-seconds: {'; '.join(told)}." if told else ""


def _lr_grid(frames: StudyFrames, search: str) -> tuple[float, ...]:
    """Learning rates that the spec lists; empty if a sampler draws them."""
    tuning = stages_tuning(frames, search, "lr")
    listed = tuning[strategies(tuning).isin(("grid", "line")) & (tuning["round"] == 0)]
    if listed.empty and not tuning.empty:
        return ()
    runs = frames.runs_of(search)
    runs = runs[runs["planned"]]
    if not listed.empty:
        runs = runs[runs["trial"].isin(listed["trial"])]
    table = with_params(frames, runs[["params"]].drop_duplicates())
    return tuple(sorted(set(table["lr"].dropna()))) if "lr" in table else ()
