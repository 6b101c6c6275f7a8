"""Which searches of several studies are one method, and what each has come to."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from reports._titles import weighting_of
from reports.comparing.rows import MethodRow, method_row, runs_final
from reports.comparing.winners import winner_of
from reports.frames import StudyFrames

Studies = Mapping[str, StudyFrames]
"""Studies by what reports call them, in the order in which they were asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a method has come to in one study.

    Attributes:
        row: Its row of the study's own comparison.
        complete: No planned run is outstanding, those on fresh seeds included.
        by_seed: Seed to test value of the objective; of a sealed study NaN.
    """

    row: MethodRow
    complete: bool
    by_seed: Mapping[int, float]

    @property
    def is_final(self) -> bool:
        """Whether there is a value that no outstanding run can change."""
        return self.complete and not math.isnan(self.row.value_test)


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One method across studies.

    Attributes:
        key: Its weighting; with the search's name where a study has several of that weighting.
        title: How reports call it.
        weighting: Its loss weighting.
        results: Label of a study to what it has come to there; without studies that lack it.
    """

    key: str
    title: str
    weighting: str
    results: Mapping[str, Result]


def methods_of(studies: Studies) -> tuple[Method, ...]:
    """The methods of all studies, in the order in which they come up."""
    searches: dict[tuple[str, str], dict[str, str]] = {}
    for label, frames in studies.items():
        for search in frames.searches:
            weighting = weighting_of(frames, search)
            name = search if _is_shared(studies, weighting) else ""
            searches.setdefault((weighting, name), {})[label] = search
    return tuple(
        Method(
            key=f"{weighting}/{name}" if name else weighting,
            title=f"{_title(studies, weighting)} ({name})" if name else _title(studies, weighting),
            weighting=weighting,
            results={label: _result(studies[label], search) for label, search in found.items()},
        )
        for (weighting, name), found in searches.items()
    )


def problem_of(frames: StudyFrames) -> str:
    """Name of a study's problem."""
    return str(frames.card.get("name", frames.spec.get("problem", "")))


def _is_shared(studies: Studies, weighting: str) -> bool:
    """Whether a study has several searches of one weighting."""
    return any(
        sum(weighting_of(frames, search) == weighting for search in frames.searches) > 1
        for frames in studies.values()
    )


def _title(studies: Studies, weighting: str) -> str:
    titles: dict[str, str] = {}
    for frames in studies.values():
        titles = {**frames.card.get("weightings", {}), **titles}
    return ", ".join(titles.get(name, name) for name in weighting.split(", "))


def _result(frames: StudyFrames, search: str) -> Result:
    winner = winner_of(frames, search)
    finished, planned = runs_final(frames, search)
    return Result(
        row=method_row(frames, search),
        complete=finished == planned,
        by_seed={} if winner is None else winner.by_seed,
    )
