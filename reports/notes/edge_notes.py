"""Fair-play notes on optima at the edge: of what was tried, or of what is no equal weighting."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from reports._once import once_per_search
from reports._titles import title_of
from reports.comparing.winners import winner_of
from reports.frames import StudyFrames, stages_tuning, with_params
from reports.notes.note import Note


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parameter:
    """A parameter whose best value may lie beyond the values tried."""

    name: str
    title: str
    floor: float = float("-inf")  # nothing can be tried below, so it is no edge


_PARAMETERS: Final = (
    _Parameter(name="lr", title="learning rate"),
    _Parameter(name="temperature", title="temperature"),
    _Parameter(name="weight_decay", title="weight decay", floor=0.0),
)
_OF_WEIGHTS: Final = ("task_weights", "temperature")
_UNEQUAL: Final = 0.01


def optimum_on_edge(frames: StudyFrames) -> Iterator[Note]:
    """A winner's learning rate, temperature or weight decay is the smallest or largest tried."""
    for search in frames.searches:
        winner = winner_of(frames, search)
        if winner is None:
            continue
        tried = _tried(frames, search)
        for parameter in _PARAMETERS:
            best = winner.params.get(parameter.name)
            if best is None or parameter.name not in tried:
                continue
            edge = _edge(float(best), tried[parameter.name], parameter.floor)
            beyond_is_equal = parameter.name == "temperature" and _weighs_alike(frames, search)
            if edge and not beyond_is_equal:
                yield Note(
                    kind=f"{parameter.title} edge",
                    search=search,
                    text=_edge_text(parameter.title, float(best), edge),
                    about=title_of(frames, search),
                )


def equal_weighting(frames: StudyFrames) -> Iterator[Note]:
    """The winner of a search that tuned weights, or how they are found, weighs all tasks alike."""
    for search in frames.searches:
        if _weighs_alike(frames, search):
            yield Note(
                kind="equal weighting",
                search=search,
                text="it has become equal weighting here: at the best of what was tried, less than "
                "1 % of the weight lies elsewhere than with equal weights.",
                about=title_of(frames, search),
            )


def baseline_on_edge(frames: StudyFrames) -> Iterator[Note]:
    """The best learning rate of a single-task network is the smallest or largest tried."""
    for task, search, best, tried in _baseline_rates(frames):
        edge = _edge(best, tried, float("-inf"))
        if edge:
            text = _edge_text("learning rate", best, edge)
            text += " A baseline that is too weak flatters every method."
            about = f"STL of task {task}"
            yield Note(kind="baseline edge", search=search, text=text, about=about)


def baseline_untuned(frames: StudyFrames) -> Iterator[Note]:
    """A single-task network was trained with one learning rate only."""
    for task, search, best, tried in _baseline_rates(frames):
        if tried.nunique() == 1:
            yield Note(
                kind="baseline untuned",
                search=search,
                text=f"STL of task {task} was trained with one learning rate only ({best:g}): "
                "an untuned baseline flatters every method. List more in `[baseline] lr`.",
            )


def weights_on_edge(frames: StudyFrames) -> Iterator[Note]:
    """A weight of the best point is the smallest or largest of all the points tried."""
    for search in frames.searches:
        winner = winner_of(frames, search)
        if winner is None or "task_weights" not in winner.params:
            continue
        table = _tried(frames, search, tuned="task_weights")
        names = [f"w_{task}" for task in frames.tasks if f"w_{task}" in table]
        if not names:
            continue
        weights = table[names].dropna().drop_duplicates()
        best = [float(weight) for weight in winner.params["task_weights"]]
        low, high = float(weights.to_numpy().min()), float(weights.to_numpy().max())
        hit = [(t, w) for t, w in zip(frames.tasks, best, strict=True) if w in (low, high)]
        # A weight of zero leaves nothing below, and the corner (weight one) nothing above.
        hit = [(task, weight) for task, weight in hit if 0 < weight < 1]
        if len(weights) > 1 and hit:
            yield _weights_note(search, title_of(frames, search), best, hit, low, weights)


@once_per_search
def _weighs_alike(frames: StudyFrames, search: str) -> bool:
    """Whether the weights recorded for a tuned winner are equal, each epoch, but for 1 %.

    Counted is the part of the weight that would have to move from some tasks to others.
    """
    winner = winner_of(frames, search)
    if winner is None or winner.params.keys().isdisjoint(_OF_WEIGHTS):
        return False
    rows = frames.epochs.rows(split="train", metric="weight", runs=winner.chosen_runs)
    weights = rows.pivot(index=["run", "epoch"], columns="task", values="value")
    shares = weights.div(weights.sum(axis=1), axis=0)
    moved = (shares - 1 / len(frames.tasks)).abs().sum(axis=1) / 2
    return bool(moved.mean() < _UNEQUAL)  # the mean of none is NaN


def _weights_note(
    search: str,
    title: str,
    best: Sequence[float],
    hit: Sequence[tuple[str, float]],
    low: float,
    weights: pd.DataFrame,
) -> Note:
    found = ", ".join(f"{task} = {weight:g}" for task, weight in hit)
    point = ", ".join(f"{weight:g}" for weight in best)
    # On a grid all weights are multiples of its step, and half the step keeps its points.
    steps = weights.to_numpy() / low if low > 0 else weights.to_numpy()
    if low > 0 and abs(steps - steps.round()).max() < 1e-9:
        advice = f"`simplex_step = {low / 2:g}` reaches further and trains only the new points."
    else:
        advice = "Add points."
    text = f"the best task weights ({point}) are on the edge of those tried ({found})."
    return Note(kind="task weights edge", search=search, text=f"{text} {advice}", about=title)


def _edge_text(parameter: str, best: float, edge: str) -> str:
    add = "smaller" if edge == "smallest" else "larger"
    return (
        f"the best {parameter} ({best:g}) is the {edge} one tried. Add a {add} value: "
        "only the new trials are trained."
    )


def _edge(best: float, tried: "pd.Series[float]", floor: float) -> str | None:
    values = tried.dropna()
    if values.nunique() < 2:
        return None
    if best == values.min() and best > floor:
        return "smallest"
    return "largest" if best == values.max() else None


def _tried(frames: StudyFrames, search: str, *, tuned: str | None = None) -> pd.DataFrame:
    """Parameters of a search's planned trials; with `tuned`, of the stages that tuned it."""
    runs = frames.runs
    mine = runs[(runs["search"] == search) & (runs["role"] != "confirm") & runs["planned"]]
    if tuned is not None:
        chosen = stages_tuning(frames, search, tuned)["trial"]
        mine = mine[mine["trial"].isin(chosen)]
    return with_params(frames, mine[["trial", "params"]].drop_duplicates("trial"))


def _baseline_rates(
    frames: StudyFrames,
) -> Iterator[tuple[str, str, float, "pd.Series[float]"]]:
    """For each trained task: name, search, chosen learning rate, rates tried."""
    table = frames.baseline[frames.baseline["standing"] & (frames.baseline["source"] == "trained")]
    for task, trial in table.drop_duplicates("task")[["task", "trial"]].itertuples(index=False):
        tried = _tried(frames, f"stl/{task}")
        chosen = tried[tried["trial"] == trial]
        if "lr" in tried and not chosen.empty:
            yield str(task), f"stl/{task}", float(chosen["lr"].iloc[0]), tried["lr"]
