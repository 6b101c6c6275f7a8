"""How alike gradients of tasks and of samples were while the winners of methods trained.

Averages are taken over a run's epochs first, then over runs.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from reports._digits import MINUS
from reports._once import once_per_study
from reports._spread import baseline_runs
from reports._titles import title_of
from reports.comparing.winners import winner_of
from reports.frames import StudyFrames
from storage.records import MEASURES, PAIRINGS
from storage.wording import counted

STATISTICS: Final = ("mean", "sd", "percentile_2_5", "median", "percentile_97_5")
"""Of the pairs of an epoch."""
SAID: Final = {"tasks": "between tasks", "samples": "between samples"}
"""What a pairing is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedPairs:
    """Gradients of one pairing, in the runs of one winner.

    Attributes:
        search: Whose winner.
        title: What it is called.
        pairing: ``tasks`` or ``samples``, see `storage.records.PAIRINGS`.
        runs: Ids.
        n_pairs: In all epochs of all runs.
        n_left_out: Pairs with a gradient that was 0, or not finite.
        statistics: Measure to statistic to its mean over epochs and runs.
        by_run: Measure to the mean of each run.
        one_by_one: Whether some gradients were taken one after the other.
    """

    search: str
    title: str
    pairing: str
    runs: tuple[int, ...]
    n_pairs: int
    n_left_out: int
    statistics: Mapping[str, Mapping[str, float]]
    by_run: Mapping[str, tuple[float, ...]]
    one_by_one: bool


@once_per_study
def compared(frames: StudyFrames) -> tuple[ComparedPairs, ...]:
    """What is known of each method's winner, then of single-task networks; of tasks first."""
    names = {search: title_of(frames, search) for search in frames.searches}
    names |= {search: f"STL {search.removeprefix('stl/')}" for search in _single_tasks(frames)}
    found = []
    for search, title in names.items():
        rows = rows_of(frames, winners_runs(frames, search))
        known = rows[rows["n_pairs"] > 0]
        for pairing in PAIRINGS:
            if (known["pairing"] == pairing).any():
                of_pairing = rows[rows["pairing"] == pairing]
                found.append(_pairs(search, title, pairing, of_pairing))
    return tuple(found)


def winners_runs(frames: StudyFrames, search: str) -> tuple[int, ...]:
    """The runs of a search's winner, on the seeds that chose it; none yet without a winner."""
    if search not in frames.searches:
        runs = baseline_runs(frames)
        return tuple(int(run) for run in runs.loc[runs["search"] == search, "run"])
    winner = winner_of(frames, search)
    return () if winner is None else winner.chosen_runs


def rows_of(frames: StudyFrames, runs: Collection[int]) -> pd.DataFrame:
    """Rows of the view ``gradient_conflicts`` of some runs."""
    return frames.conflicts[frames.conflicts["run"].isin([*runs])]


def over_training(rows: pd.DataFrame) -> pd.DataFrame:
    """Means over the runs that reached an epoch: pairing, measure, epoch, then `STATISTICS`."""
    known = rows[rows["n_pairs"] > 0]
    keys = ["pairing", "measure", "epoch"]
    return known.groupby(keys)[[*STATISTICS]].mean().reset_index()


def asked(frames: StudyFrames) -> Mapping[str, int] | None:
    """What the spec says of gradients; None if they are not compared."""
    found: Mapping[str, int] | None = (frames.spec.get("diagnostics") or {}).get("gradients")
    return found


def sentences(frames: StudyFrames) -> Iterator[str]:
    """What was found, a sentence a method, and what was looked at."""
    found = compared(frames)
    for search in frames.searches:
        of = {one.pairing: one for one in found if one.search == search}
        if len(of) == len(PAIRINGS):
            yield _said(of["tasks"], of["samples"])
    missing = [
        title_of(frames, search)
        for search in frames.searches
        if search not in {one.search for one in found}
    ]
    if missing:
        yield f"Of {', '.join(missing)} nothing was compared, or no trial is done on every seed."
    yield from how(frames, found)


def how(frames: StudyFrames, found: Sequence[ComparedPairs]) -> Iterator[str]:
    """Of what, where and how often gradients were taken."""
    spec = asked(frames)
    often = (
        f" Looked at in every {_ordinal(spec['every'])} step, on at most {spec['samples']} samples."
        if spec
        else ""
    )
    yield (
        "Gradients are those of unweighted losses on the shared parameters, of one sample each. "
        "The network evaluates meanwhile: batch normalisation goes by its running statistics, and "
        f"dropout is off.{often}"
    )
    if any(one.one_by_one for one in found):
        yield (
            "Some gradients were taken one after the other, as the network or a loss does not "
            "survive `torch.func.vmap`: the same numbers, in more time."
        )


def _single_tasks(frames: StudyFrames) -> list[str]:
    return [search for search in frames.searches_alone if search.startswith("stl/")]


def _pairs(search: str, title: str, pairing: str, rows: pd.DataFrame) -> ComparedPairs:
    known = rows[rows["n_pairs"] > 0]
    statistics, by_run = {}, {}
    for measure in MEASURES:
        of_runs = known[known["measure"] == measure].groupby("run")[[*STATISTICS]].mean()
        statistics[measure] = {name: float(of_runs[name].mean()) for name in STATISTICS}
        by_run[measure] = tuple(of_runs["mean"].tolist())
    one = rows[rows["measure"] == MEASURES[0]]
    return ComparedPairs(
        search=search,
        title=title,
        pairing=pairing,
        runs=tuple(sorted({int(run) for run in known["run"]})),
        n_pairs=int(one["n_pairs"].sum()),
        n_left_out=int(one["n_left_out"].sum()),
        statistics=statistics,
        by_run=by_run,
        one_by_one=bool(rows["one_by_one"].any()),
    )


def _said(tasks: ComparedPairs, samples: ComparedPairs) -> str:
    apart, alike = (
        [_spread(of.by_run[measure], form) for of in (tasks, samples)]
        for measure, form in (("negative_cosine", ".0%"), ("magnitude", ".2f"))
    )
    return (
        f"{tasks.title}: gradients of two tasks on one sample point apart (cosine below 0) in "
        f"{apart[0]} of pairs, those of two samples of one task in {apart[1]}; their lengths have "
        f"a mean similarity (1: equal) of {alike[0]} between tasks and {alike[1]} between samples. "
        f"Means over {counted(len(tasks.runs), 'run')}, in brackets the lowest and the highest."
    )


def _spread(values: Sequence[float], form: str) -> str:
    mean, least, most = (
        f"{value:{form}}".replace("%", " %").replace("-", MINUS)
        for value in (sum(values) / len(values), min(values), max(values))
    )
    return f"{mean} ({least} to {most})" if len(values) > 1 else f"{mean} (one run)"


def _ordinal(number: int) -> str:
    ends = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ends.get(number % 10, 'th')}"
