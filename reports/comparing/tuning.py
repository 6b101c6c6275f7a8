"""What tuning was worth: each method beside its defaults, and what its search lost again (M15)."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from reports._digits import finite
from reports._eligible import eligible
from reports._ranking import number, objective_of
from reports._selected import selected_metrics
from reports._spread import best_trials
from reports._titles import title_of
from reports.comparing.defaults import defaults_of
from reports.comparing.differences import (
    Difference,
    Verdict,
    adjusted,
    margin_of,
    with_baseline,
)
from reports.comparing.rows import interval_of
from reports.comparing.scores import PAIRED_FROM
from reports.comparing.winners import winner_of
from reports.comparing.wording import by_verdict, gaps_of
from reports.frames import StudyFrames
from reports.inference import (
    Components,
    Estimate,
    Interval,
    MeanSquare,
    estimated,
    mean_of,
    mixed_share,
    mixing_parts,
    paired,
)
from reports.measures import FloatArray
from reports.spending.overtuning import Overtuning, overtuning
from storage.objectives import Objective
from storage.objectives.delta_m import NAME as DELTA_M
from storage.wording import counted

_WORDS: Final[Mapping[Verdict, str]] = {
    "better": "better",
    "worse": "worse",
    "comparable": "comparable",
    "undecided": "undecided",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Untuned:
    """A method with its defaults: no tuning at all.

    Attributes:
        trial: The trial of its search that has them.
        params: What they are.
        runs: Its runs on the study's seeds, of which nothing was chosen.
        value: Mean test value of the objective; the worst infinity if one of them diverged.
        interval: 95 % interval of it over seeds, of a delta_m with the baseline's own; None where
            nothing tells it. Where the search ended with the defaults, that of the comparison.
        cost_solo_s: Device-seconds of these runs, each alone.
    """

    trial: int
    params: Mapping[str, Any]
    runs: tuple[int, ...]
    value: float
    interval: Interval | None
    cost_solo_s: float

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        known = self.interval
        return {
            "trial": self.trial,
            "params": dict(self.params),
            "runs": list(self.runs),
            "value": finite(self.value),
            "diverged": math.isinf(self.value),
            "low": known and known.low,
            "high": known and known.high,
            "cost_solo_s": self.cost_solo_s,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What the search of a method was worth, on the study's seeds.

    Attributes:
        untuned: The method with its defaults; None if these were not tried, or have no value.
        kept: For each seed the defaults are what the others choose; never with one seed.
        gain: Value of the winner, cross-fitted, minus that of the defaults; intervals are those of
            all methods at once, after Holm. None without `untuned`, with one seed, and if `kept`.
        overtuning: What the search lost on test; None with one seed.
    """

    search: str
    title: str
    untuned: Untuned | None
    kept: bool
    gain: Difference | None
    overtuning: Overtuning | None

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return {
            "search": self.search,
            "untuned": self.untuned and self.untuned.to_plain(),
            "kept_defaults": self.kept,
            "gain": self.gain and self.gain.to_plain(),
            "overtuning": self.overtuning and self.overtuning.to_plain(),
        }


def tuning_of(frames: StudyFrames, searches: Sequence[str]) -> tuple[Tuning, ...]:
    """One a search; none while a study is sealed.

    Args:
        searches: Those whose values no outstanding run can change.
    """
    if frames.sealed:
        return ()
    untuned = {search: untuned_of(frames, search) for search in searches}
    kept = {search: _kept(frames, search, found) for search, found in untuned.items()}
    gains = [
        _gain(frames, search, found)
        for search, found in untuned.items()
        if found and not kept[search]
    ]
    family = {gain.a: gain for gain in adjusted([gain for gain in gains if gain is not None])}
    return tuple(
        Tuning(
            search=search,
            title=title_of(frames, search),
            untuned=_as_compared(frames, search, untuned[search])
            if kept[search]
            else untuned[search],
            kept=kept[search],
            gain=family.get(search),
            overtuning=overtuning(frames, search),
        )
        for search in searches
    )


def untuned_of(frames: StudyFrames, search: str) -> Untuned | None:
    """A method with its defaults; None if the trial with them has no value."""
    trials, wanted = eligible(frames, search), defaults_of(frames, search)
    (rows,) = np.nonzero(trials.numbers == wanted)
    if frames.sealed or not len(rows):
        return None
    row = int(rows[0])
    runs = trials.runs[row].tolist()
    table = frames.runs_by_id().loc[runs]
    if (table["state"] == "pruned").any():
        return None
    objective = objective_of(frames)
    values = np.nan_to_num(trials.test[row], nan=objective.sign * np.inf)
    estimate = mean_of(values)
    if objective.name == DELTA_M:
        means = selected_metrics(frames, runs).groupby(["task", "metric"])["value"].mean()
        metrics = dict(zip(means.index.tolist(), means.tolist(), strict=True))
        estimate = with_baseline(frames, estimate, metrics, objective)
    return Untuned(
        trial=int(trials.numbers[row]),
        params=json.loads(table["params"].iloc[0]),
        runs=tuple(runs),
        value=float(values.mean()),
        interval=estimate.interval(),
        cost_solo_s=float(table["solo_cost_s"].sum()),
    )


def _kept(frames: StudyFrames, search: str, untuned: Untuned | None) -> bool:
    """Whether all seeds have the defaults chosen for them, of several."""
    trials = eligible(frames, search)
    if len(frames.seeds) < 2:
        return False
    chosen = {int(trials.numbers[row]) for row in trials.fold_winners() if row is not None}
    return untuned is not None and chosen == {untuned.trial}


def _as_compared(frames: StudyFrames, search: str, untuned: Untuned | None) -> Untuned | None:
    """With the interval that the comparison gives the same runs: it knows more of how they vary."""
    winner = winner_of(frames, search)
    if untuned is None or winner is None or winner.kind != "cross-fit":
        return untuned
    return replace(untuned, interval=interval_of(frames, search, winner))


def _gain(frames: StudyFrames, search: str, untuned: Untuned) -> Difference | None:
    """The winner that the other seeds choose minus the defaults, over the study's seeds."""
    trials = eligible(frames, search)
    chosen = [row for row in trials.fold_winners() if row is not None]
    n_seeds = len(frames.seeds)
    if len(chosen) < n_seeds or n_seeds < 2:
        return None
    default = int(np.flatnonzero(trials.numbers == untuned.trial)[0])
    winners = trials.test[chosen, range(n_seeds)]
    estimate = paired_gain(
        winners,
        trials.test[default],
        mixed=mixed_share(chosen),
        moved=float(np.mean([row != default for row in chosen])),
        layout=_layout(trials.test, [*best_trials(frames, search), default]),
    )
    if not math.isfinite(untuned.value):
        estimate = replace(estimate, value=-untuned.value, standard_error=math.nan)
    return Difference(
        a=search,
        b="untuned",
        estimate=estimate,
        interval=estimate.interval(),
        basis="paired" if n_seeds >= PAIRED_FROM else "pooled",
        sign=objective_of(frames).sign,
        margin=margin_of(frames),
    )


def _layout(test: FloatArray, rows: Sequence[int]) -> Components | None:
    """How values vary over the best trials and the defaults, ``[N, S]``; None if one diverged."""
    table = test[sorted(set(map(int, rows)))]
    return Components.of(table) if np.isfinite(table).all() else None


def paired_gain(
    winners: FloatArray,
    defaults: FloatArray,
    *,
    mixed: float,
    moved: float,
    layout: Components | None,
) -> Estimate:
    """Mean difference over the same seeds ``[S]``, whose own worth cancels within a search.

    Args:
        mixed: How often the rest counts as seeds waver between trials.
        moved: Share of seeds for which another trial than the defaults was chosen.
        layout: How values vary; None where nothing tells it.
    """
    n_seeds = len(winners)
    if layout is None:
        return paired(winners, defaults)
    if n_seeds >= PAIRED_FROM:
        return paired(winners, defaults, more=mixing_parts((layout, mixed)))
    rest = MeanSquare(
        value=layout.residual_variance,
        weight=(2 * moved + mixed - 1) / n_seeds,
        df=max(1, (layout.n_trials - 1) * (n_seeds - 1)),
    )
    return estimated(float(np.mean(winners - defaults)), [rest], n_seeds=n_seeds)


def tuning_sentences(found: Sequence[Tuning], objective: Objective) -> tuple[str, ...]:
    """What tuning was worth to how many methods, and the one that lost most of it again."""
    known = [one for one in found if one.kept or one.gain is not None]
    said = []
    if known:
        verdicts = {one.title: one.gain.verdict for one in known if one.gain is not None}
        kept = [one.title for one in known if one.kept]
        counts = [by_verdict(verdicts, _WORDS)] if verdicts else []
        whose = "its" if len(kept) == 1 else "their"
        counts += [f"{len(kept)} ended with {whose} defaults ({', '.join(kept)})"] if kept else []
        said.append(
            "Tuned against untuned, each method beside itself with its defaults, on test: of "
            f"{counted(len(known), 'method')} {'; '.join(counts)}."
        )
    lost = [(one.overtuning, one.title) for one in found if one.overtuning is not None]
    if lost:
        most, title = max(lost, key=lambda pair: pair[0].value)
        said.append(f"Overtuning: {_most(most, title, objective, len(lost))}")
    return tuple(said)


def _most(most: Overtuning, title: str, objective: Objective, n_searches: int) -> str:
    methods = counted(n_searches, "method")
    if most.value == 0:
        return f"of {methods} none lost anything on test after its best incumbent."
    gaps = replace(gaps_of(objective), shown=objective.shown.lstrip("+"))
    low, high = (number(replace(gaps, unit=""), f(most.by_seed)) for f in (min, max))
    share = "" if math.isnan(most.ratio) else f", {100 * most.ratio:.0f} % of what it had gained"
    return (
        f"of {methods} {title} lost most on test after its best incumbent: "
        f"{number(gaps, most.value)} ({low} to {high} by seed){share}."
    )
