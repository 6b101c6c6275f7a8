"""Fair-play notes on optima at the edge: of what was tried, or of what is no equal weighting."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
import pandas as pd

from reports._once import once_per_study
from reports._params import with_params
from reports._titles import title_of
from reports.comparing.winners import winner_of
from reports.frames import StudyFrames, stages_tuning
from reports.measures import FloatArray, simplex_step
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
_SAME_RATIO: Final = 0.05  # in logarithms: weights are listed with a few digits


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
    """The winner of a method with task weights or a temperature weighs all tasks alike."""
    for search in frames.searches:
        if _weighs_alike(frames, search):
            yield Note(
                kind="equal weighting",
                search=search,
                text="it has become equal weighting here: while its winner was trained, less than "
                "1 % of the weight lay elsewhere than with equal weights.",
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
    """A weight of the best point, or a ratio of two, is the smallest or largest of those tried."""
    for search in frames.searches:
        winner = winner_of(frames, search)
        if winner is None or "task_weights" not in winner.params:
            continue
        table = _tried(frames, search, tuned="task_weights")
        names = [f"w_{task}" for task in frames.tasks if f"w_{task}" in table]
        weights = table[names].dropna().drop_duplicates().to_numpy(dtype=np.float64)
        if not names or len(weights) < 2:
            continue
        best = np.array(winner.params["task_weights"], dtype=np.float64)
        step = simplex_step(weights)
        found = _extreme_weights(frames.tasks, best, weights)
        if not found and step is None:
            found = _extreme_ratios(frames.tasks, best, weights)
        if found:
            point = ", ".join(f"{weight:g}" for weight in best)
            advice = "Add points."
            if step is not None:
                finer = f"`simplex_step = {step / 2:g}`"
                advice = f"{finer} reaches further and trains only the new points."
            yield Note(
                kind="task weights edge",
                search=search,
                text=f"the best task weights ({point}) are on the edge of those tried "
                f"({', '.join(found)}). {advice}",
                about=title_of(frames, search),
            )


def _extreme_weights(tasks: Sequence[str], best: FloatArray, weights: FloatArray) -> list[str]:
    """Weights of the best point ``[T]`` that are the smallest or largest of all ``[N, T]``.

    A weight of zero leaves nothing below, and the corner (weight one) nothing above.
    """
    ends = (float(weights.min()), float(weights.max()))
    pairs = zip(tasks, best.tolist(), strict=True)
    return [f"{task} = {weight:g}" for task, weight in pairs if weight in ends and 0 < weight < 1]


def _extreme_ratios(tasks: Sequence[str], best: FloatArray, weights: FloatArray) -> list[str]:
    """The same for ratios of two weights, which is what points spread by factors are tried for."""
    inside = weights[(weights > 0).all(axis=1)]
    found = []
    for one, other in combinations(range(len(tasks)), 2):
        if not len(inside) or best[one] == 0 or best[other] == 0:
            continue
        logs = np.log(inside[:, one] / inside[:, other])
        mine = float(np.log(best[one] / best[other]))
        outermost = min(mine - logs.min(), logs.max() - mine)
        if np.ptp(logs) > _SAME_RATIO and outermost < _SAME_RATIO:
            found.append(f"{tasks[one]} : {tasks[other]} = {np.exp(mine):.3g}")
    return found


@once_per_study
def _weighs_alike(frames: StudyFrames, search: str) -> bool:
    """Whether the weights recorded for such a winner are equal, each epoch, but for 1 %.

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


@once_per_study
def _tried(frames: StudyFrames, search: str, *, tuned: str | None = None) -> pd.DataFrame:
    """Parameters of a search's planned trials; with `tuned`, of the stages that tuned it."""
    runs = frames.runs_of(search)
    mine = runs[(runs["role"] != "confirm") & runs["planned"]]
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
