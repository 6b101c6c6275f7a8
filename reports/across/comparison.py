"""Several studies side by side: each one's values, and what can be said over all of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from reports._digits import finite
from reports._eligible import RANKED
from reports._ranking import objective_of
from reports.across.comparable import check_methods, check_studies, differing, smallest_margin
from reports.across.methods import Method, Studies, methods_of, problem_of
from reports.across.one_setting import OneSetting, one_settings
from reports.across.pairs import PairTable, pair_tables, pairs_asked_twice
from reports.across.standings import Ranking, Strata, over_problems, ranking_of
from reports.across.words import sentences
from reports.comparing.differences import Difference, adjusted, difference
from reports.comparing.roles import is_asked_about
from reports.frames import StudyFrames
from reports.inference import mean_of
from storage.objectives import Objective


@dataclass(frozen=True, slots=True, kw_only=True)
class StudySummary:
    """One of the studies.

    Attributes:
        label: How it is called here.
        problem: Name of its problem.
        network: As the problem's card says.
        n_seeds: S.
        finished_runs: Final runs of its searches, of `planned_runs`.
        sealed: No test value of it is shown.
        counts: Whether a method has a final value in it.
    """

    label: str
    problem: str
    network: str
    n_seeds: int
    finished_runs: int
    planned_runs: int
    sealed: bool
    counts: bool

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class OverProblems:
    """The subject minus another method, in each study and over the problems.

    Attributes:
        by_study: Label of a study to the difference there, with its interval over seeds.
        mean: Mean over problems, with its interval from problem to problem; its `n_seeds` are
            problems, and so are those that would decide.
    """

    by_study: Mapping[str, Difference]
    mean: Difference

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold: numbers that are not plain become None."""
        said, mean = self.mean.to_plain(), self.mean
        kept = ("a", "b", "difference", "low", "high", "level", "n_compared", "verdict", "p_better")
        return {
            **{name: said[name] for name in kept},
            "n_problems": mean.estimate.n_seeds,
            "problems_to_decide": mean.seeds_to_decide,
            "by_study": {label: one.to_plain() for label, one in self.by_study.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class StudiesComparison:
    """Several studies at a glance.

    Attributes:
        objective: What all of them are ranked by.
        margin: The smallest of their margins; None by another objective than delta_m.
        studies: In the order in which they were asked for.
        methods: All methods, those that are ranked first, best mean rank first.
        ranking: Of the methods that have a final value in every study that counts; None with fewer
            than two methods or studies.
        differences: The subject against each other method: one family.
        one_setting: What methods are worth that are tuned on the other studies only.
        pairs: What methods come to on pairs of tasks, where studies ask pairs of one problem.
        differing: What sets the studies apart, a sentence each.
        sentence: What can be said, and what cannot.
    """

    objective: Objective
    margin: float | None
    studies: tuple[StudySummary, ...]
    methods: tuple[Method, ...]
    ranking: Ranking | None
    differences: tuple[OverProblems, ...]
    one_setting: tuple[OneSetting, ...]
    pairs: tuple[PairTable, ...]
    differing: tuple[str, ...]
    sentence: str

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold: numbers that are not plain become None."""
        objective = self.objective
        return {
            "sentence": self.sentence,
            "objective": {
                "name": objective.name,
                "direction": objective.direction,
                "unit": objective.unit,
            },
            "margin": self.margin,
            "studies": [study.to_plain() for study in self.studies],
            "methods": [_method(method) for method in self.methods],
            "ranking": self.ranking and self.ranking.to_plain(),
            "differences": [found.to_plain() for found in self.differences],
            "one_setting": [found.to_plain() for found in self.one_setting],
            "pairs": [found.to_plain() for found in self.pairs],
            "differing": list(self.differing),
        }


def compare_studies(studies: Studies) -> StudiesComparison:
    """Put studies side by side, finished or not.

    Args:
        studies: Label to frames; labels are what reports call them.

    Raises:
        NotComparable: Their numbers have nothing to do with each other.
    """
    check_studies(studies)
    methods = methods_of(studies)
    check_methods(methods)
    objective = objective_of(next(iter(studies.values())))
    margin = smallest_margin(studies)
    strata = _strata(studies, methods)
    ranked = [m for m in methods if all(_final(m, label) for label in _labels(strata))]
    ranking = ranking_of(ranked, strata, sign=objective.sign, margin=margin)
    if ranking is not None:
        first = [standing.method for standing in ranking.standings]
        methods = (*first, *(method for method in methods if method not in first))
        ranked = first
    summaries = tuple(_summary(label, studies[label], strata) for label in studies)
    differences = _differences(studies, strata, ranking, margin)
    return StudiesComparison(
        objective=objective,
        margin=margin,
        studies=summaries,
        methods=methods,
        ranking=ranking,
        differences=differences,
        one_setting=one_settings(studies, ranked, strata),
        pairs=pair_tables(studies, methods),
        differing=(*differing(studies, methods), *pairs_asked_twice(studies)),
        sentence=" ".join(
            sentences(
                objective,
                strata=strata,
                sealed=[one.label for one in summaries if one.sealed],
                without=[one.label for one in summaries if not (one.counts or one.sealed)],
                methods=methods,
                ranking=ranking,
                differences=[found.mean for found in differences],
            )
        ),
    )


def _strata(studies: Studies, methods: Sequence[Method]) -> Strata:
    """Problems and their studies, without those in which no method has a final value."""
    found: dict[str, list[str]] = {}
    for label, frames in studies.items():
        if any(_final(method, label) for method in methods):
            found.setdefault(problem_of(frames), []).append(label)
    return found


def _labels(strata: Strata) -> list[str]:
    return [label for labels in strata.values() for label in labels]


def _final(method: Method, label: str) -> bool:
    return label in method.results and method.results[label].is_final


def _summary(label: str, frames: StudyFrames, strata: Strata) -> StudySummary:
    runs = frames.runs[frames.runs["planned"] & (frames.runs["role"] != "confirm")]
    return StudySummary(
        label=label,
        problem=problem_of(frames),
        network=str(frames.card.get("network", "")),
        n_seeds=len(frames.seeds),
        finished_runs=int(runs["state"].isin(RANKED).sum()),
        planned_runs=len(runs),
        sealed=frames.sealed,
        counts=label in _labels(strata),
    )


def _differences(
    studies: Studies, strata: Strata, ranking: Ranking | None, margin: float | None
) -> tuple[OverProblems, ...]:
    """The subject, UW-SO or else the first, against all others that are ranked."""
    if ranking is None:
        return ()
    ranked = [standing.method for standing in ranking.standings]
    subject = next((method for method in ranked if _is_asked_about(studies, method)), ranked[0])
    found = [
        _over_problems(studies, strata, subject, other, margin)
        for other in ranked
        if other is not subject
    ]
    means = adjusted([one.mean for one in found])
    return tuple(replace(one, mean=mean) for one, mean in zip(found, means, strict=True))


def _is_asked_about(studies: Studies, method: Method) -> bool:
    label, result = next(iter(method.results.items()))
    return is_asked_about(studies[label], result.row.search)


def _over_problems(
    studies: Studies, strata: Strata, subject: Method, other: Method, margin: float | None
) -> OverProblems:
    by_study: dict[str, Difference] = {}
    for label in _labels(strata):
        mine, its = (method.results[label].row.search for method in (subject, other))
        if (one := difference(studies[label], mine, its)) is not None:
            by_study[label] = replace(one, a=subject.key, b=other.key, margin=margin)
    gaps, shares = (
        over_problems(np.array([[number] for number in numbers]), [*by_study], strata)[:, 0]
        for numbers in (
            [one.value for one in by_study.values()],
            [one.p_better for one in by_study.values()],
        )
    )
    estimate = mean_of(gaps)
    one = next(iter(by_study.values()))
    mean = Difference(
        a=subject.key,
        b=other.key,
        estimate=estimate,
        interval=estimate.interval(),
        basis="paired",
        sign=one.sign,
        margin=margin,
        p_better=float(np.mean(shares)),
    )
    return OverProblems(by_study=by_study, mean=mean)


def _method(method: Method) -> dict[str, Any]:
    return {
        "method": method.key,
        "title": method.title,
        "weighting": method.weighting,
        "by_study": {
            label: {
                "search": result.row.search,
                "value_test": finite(result.row.value_test),
                "diverged": math.isinf(result.row.value_test),
                "low": result.row.interval and result.row.interval.low,
                "high": result.row.interval and result.row.interval.high,
                "kind": result.row.delta_m_kind,
                "n_seeds": result.row.n_seeds,
                "n_trials": result.row.n_trials,
                "final": result.is_final,
                "cost_solo_s": result.row.cost_solo_s,
                "cost_epochs": result.row.cost_epochs,
                "params": dict(result.row.params),
            }
            for label, result in method.results.items()
        },
    }
