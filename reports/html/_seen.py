"""What each figure shows of this very study, in a sentence or two with spreads beside numbers."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from reports._ranking import number, objective_of
from reports._titles import title_of
from reports.comparing.wording import gaps_of, span
from reports.figures._trajectories import winners_shares
from reports.figures._trials import task_titles, trials
from reports.frames import StudyFrames
from reports.html._words import value_of
from reports.spending.budget import Budget
from reports.spending.curves import BudgetCurve, budget_curves
from storage.wording import counted


def cost_seen(frames: StudyFrames) -> str:
    """Where the best line ends, and that of another search: the dearest, or else the cheapest."""
    curves = budget_curves(frames, "solo_s")
    if not curves:
        return ""
    sign = objective_of(frames).sign
    best = min(curves, key=lambda curve: sign * float(curve.value[-1]))
    by_cost = sorted(curves, key=lambda curve: float(curve.cost[-1]))
    other = by_cost[-1] if best is not by_cost[-1] else by_cost[0]
    word = "lowest" if sign > 0 else "highest"
    said = f"{best.title} ends {word}, at {_end(best)}, after {_cost(best)}"
    if other is best:
        return f"{said}."
    return f"{said}; {other.title}, after {_cost(other)}, at {_end(other)}."


def _end(curve: BudgetCurve) -> str:
    interval, objective = curve.interval_at(len(curve.cost) - 1), curve.objective
    within = "no interval" if interval is None else f"95 % interval {span(objective, interval)}"
    return f"{number(objective, float(curve.value[-1]))} ({within})"


def _cost(curve: BudgetCurve) -> str:
    return Budget(axis=curve.axis, amount=float(curve.cost[-1])).said


def weights_seen(frames: StudyFrames, search: str) -> str:
    """The best weights, and the recorded ones that are nearest to equal, at their best trial."""
    columns = [f"w_{task}" for task in frames.tasks]
    found = trials(frames, search)
    rows = found[np.isfinite(found["val"])].dropna(subset=columns)
    if rows.empty:
        return ""
    shares = rows[columns].div(rows[columns].sum(axis=1), axis=0)
    apart = (shares - 1 / len(columns)).abs().max(axis=1).round(9)
    best, equal = rows["key"].idxmin(), rows["key"][apart == apart.min()].idxmin()
    named = ", ".join(
        f"{title} {share:.3g}"
        for title, share in zip(task_titles(frames), shares.loc[best], strict=True)
    )
    n = len(shares.round(9).drop_duplicates())
    vectors = counted(n, "vector of weights", "vectors of weights")
    said = f"Of {vectors} the best on validation is {named}: {_mean(frames, rows.loc[best])}"
    if best == equal:
        return f"{said}, the one nearest to equal weights."
    return f"{said}; the one nearest to equal weights has {_mean(frames, rows.loc[equal])}."


def temperature_seen(frames: StudyFrames, search: str) -> str:
    """The best temperature, and how far the means of all of them are apart."""
    return _axis_seen(frames, search, "temperature", "temperatures")


def _axis_seen(frames: StudyFrames, search: str, param: str, several: str) -> str:
    found = trials(frames, search)
    rows = found[np.isfinite(found["val"])].dropna(subset=[param])
    if rows.empty:
        return ""
    best = rows.loc[rows["key"].idxmin()]
    means = rows.groupby(param)["key"].min()
    apart = _size(frames, float(means.max() - means.min()))
    return (
        f"Of {len(means)} {several} the best on validation is {value_of(best[param])}: "
        f"{_mean(frames, best)}; the best means at each lie at most {apart} apart."
    )


def sensitivity_seen(frames: StudyFrames, param: str, several: str) -> str:
    """How much each method's best mean moves over the values tried, beside what seeds move."""
    moved, spreads = {}, []
    for search in frames.searches:
        found = trials(frames, search)
        if param not in found or found[param].nunique() < 2:
            continue
        rows = found[np.isfinite(found["val"])]
        means = rows.groupby(param)["key"].min()
        if len(means) > 1:
            moved[title_of(frames, search)] = float(means.max() - means.min())
            spreads += rows["sd"].dropna().tolist()
    if not moved:
        return ""
    least, most = min(moved, key=moved.__getitem__), max(moved, key=moved.__getitem__)
    ends = f"{_size(frames, moved[most])} ({most})"
    if len(moved) > 1:
        ends = f"between {_size(frames, moved[least])} ({least}) and {ends}"
    said = f"From the best to the worst of the {several} tried, the best mean moves by {ends}"
    if not spreads:
        return f"{said}; one seed does not tell how much of that is luck."
    return f"{said}; seeds of one trial have a median standard deviation of {_sd(frames, spreads)}."


def _sd(frames: StudyFrames, spreads: Sequence[float]) -> str:
    return _size(frames, float(np.median(spreads)))


def shares_seen(frames: StudyFrames) -> str:
    """The task on which the winners of methods differ most at their last epoch."""
    last = {
        title_of(frames, search): dict(zip(shares.columns, shares.iloc[-1].tolist(), strict=True))
        for search, shares in winners_shares(frames).items()
    }
    if not last:
        return ""

    def of(task: str) -> dict[str, float]:
        return {method: shares[task] for method, shares in last.items() if task in shares}

    def apart(task: str) -> float:
        found = of(task).values()
        return max(found, default=0.0) - min(found, default=0.0)

    task = max(frames.tasks, key=apart)
    named, found = task_titles(frames)[frames.tasks.index(task)], of(task)
    high, low = max(found, key=found.__getitem__), min(found, key=found.__getitem__)
    if not found[high] > found[low]:
        return f"At the last epoch, “{named}” has a mean share of {100 * found[high]:.0f} %."
    return (
        f"Winners differ most on “{named}”: at the last epoch, its mean share over seeds is "
        f"{100 * found[high]:.0f} % with {high} and {100 * found[low]:.0f} % with {low}."
    )


def _mean(frames: StudyFrames, row: "pd.Series[float]") -> str:
    """``Δm −4.50 % (standard deviation over 3 seeds 0.21 points)``."""
    objective = objective_of(frames)
    value = f"{objective.title} {number(objective, float(row['val']))}"
    if math.isnan(row["sd"]):
        return f"{value} (one seed)"
    spread = _size(frames, float(row["sd"]))
    return f"{value} (standard deviation over {len(frames.seeds)} seeds: {spread})"


def _size(frames: StudyFrames, value: float) -> str:
    """A difference without its sign, in the unit of differences."""
    gaps = gaps_of(objective_of(frames))
    return number(gaps, value, plus=False)
