"""What is left of limits of a study and its searches, over time and as far as can be foreseen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from reports._palette import method_colour, task_colour
from reports.dashboard.following.followed import Followed
from reports.dashboard.showing.over_time import Bins, binned, until
from storage import RunState
from storage.records import (
    DriverAtWork,
    LimitUse,
    StudyRecord,
    Totals,
    limits_of_searches,
    limits_of_study,
)
from storage.wording import duration

UNITS: Final[Mapping[str, str]] = {
    "trials": "trials",
    "epochs": "epochs",
    "device_s": "device time",
    "money": "money",
    "wall_s": "time of one command",
}
_OF_ALL_RUNS: Final = ("trials", "epochs", "device_s", "money")  # as of `Totals.used`
_RECENT: Final = 5  # bins, by which the rate goes on
_FARTHEST: Final = 2.0  # times what has passed: as far as it is drawn ahead
_MOST_LINES: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """A limit as it stands, and when it will be used up.

    Attributes:
        of: Whose it is, in words.
        ends_s: When it is used up if all goes on as lately; None if nothing is used now.
    """

    of: str
    limit: LimitUse
    ends_s: float | None = None

    @property
    def unit(self) -> str:
        """What is limited, in words."""
        return UNITS[self.limit.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnDown:
    """A limit over time.

    Attributes:
        at_s: ``[t]``, moments, the last one now or when the last attempt ended.
        left: ``[t]``, what was left.
        ends_s: When it is used up if all goes on as lately; None if nothing is used now.
        lately_s: Over how long the rate was taken.
    """

    limit: LimitUse
    at_s: NDArray[np.float64]
    left: NDArray[np.float64]
    ends_s: float | None
    lately_s: float


def limits_used(study: Followed, totals: Totals | None) -> list[LimitUse]:
    """Each limit that counts over all of a study's commands: its own, then those of searches."""
    spec = study.record.spec
    of_searches = limits_of_searches(spec, {})
    if totals is None:
        return [*limits_of_study(spec, dict.fromkeys(_OF_ALL_RUNS)), *of_searches]
    if of_searches:
        with study.lock:
            used = study.mirror.used_by_search()
        names = {one.search for one in of_searches} - {*used}
        none_yet = dict.fromkeys(names, dict.fromkeys(totals.used, 0.0))
        of_searches = limits_of_searches(spec, {**used, **none_yet})
    return [*limits_of_study(spec, totals.used), *of_searches]


def burn_downs(
    study: Followed,
    limits: Sequence[LimitUse],
    totals: Totals | None,
    *,
    now_s: float,
    goes_on: bool,
) -> list[BurnDown]:
    """Each limit over time, as far as is known; none before an attempt has begun.

    Args:
        goes_on: Whether a driver works on it: else no end is foreseen.
    """
    if not limits or totals is None:
        return []
    with study.lock:
        bins = binned(study.mirror.attempts, now_s=now_s)
        if bins is None:
            return []
        runs = bool(totals.states.get(RunState.LEASED))
        found = [
            _burn_down(study, bins, one, left, now_s=now_s, runs=runs)
            for one in limits
            if (left := one.left) is not None
        ]
    return found if goes_on else [replace(one, ends_s=None) for one in found]


def foreseen(
    limits: Sequence[LimitUse], burning: Sequence[BurnDown], titles: Mapping[str, str]
) -> list[Foreseen]:
    """Each limit with its end.

    Args:
        titles: What searches are called.
    """
    ends = {(one.limit.search, one.limit.kind): one.ends_s for one in burning}
    return [
        Foreseen(
            of=titles.get(one.search, one.search) or "the study",
            limit=one,
            ends_s=ends.get((one.search, one.kind)),
        )
        for one in limits
    ]


def of_commands(
    record: StudyRecord, drivers: Sequence[DriverAtWork], *, now_s: float
) -> list[Foreseen]:
    """How long each command that is at work may yet be; nothing is used where none is."""
    most = record.spec["budget"].get("wall_s")
    if most is None:
        return []
    found = [
        Foreseen(
            of=f"process {one.pid} on {one.host}",
            limit=LimitUse(kind="wall_s", most=most, used=max(now_s - one.since.timestamp(), 0.0)),
            ends_s=one.since.timestamp() + most,
        )
        for one in drivers
    ]
    return found or [Foreseen(of="each command", limit=LimitUse(kind="wall_s", most=most, used=0))]


def drawn(
    burning: Sequence[BurnDown], weightings: Mapping[str, str], titles: Mapping[str, str]
) -> dict[str, Any]:
    """What is left over time, and ahead as lately, as `charts.js` draws it.

    Args:
        burning: The study's, or those of its searches, all of one kind.
        weightings: Of searches.
        titles: What these are called.
    """
    if not burning:
        return {"series": []}
    return {
        "kind": "lines",
        "time": True,
        "x": "Time",
        "y": left_in(burning[0].limit.kind),
        "within": [0, max(one.limit.most for one in burning)],
        "series": [
            line for one in burning[:_MOST_LINES] for line in _lines(one, weightings, titles)
        ],
    }


def left_in(kind: str) -> str:
    """``Left in epochs``, ``Left in device-seconds``."""
    return f"Left in {'device-seconds' if kind == 'device_s' else UNITS[kind]}"


def _lines(
    one: BurnDown, weightings: Mapping[str, str], titles: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    search = one.limit.search
    title = titles.get(search, search)
    colour = method_colour(weightings[search]) if search in weightings else task_colour(0)
    yield _series(title or "left", one.at_s.tolist(), one.left.tolist(), colour, [])
    if one.ends_s is not None:
        of = f"{title}, " if title else ""
        yield _ahead(one, one.ends_s, f"{of}as in the last {duration(one.lately_s)}", colour)


def _burn_down(
    study: Followed, bins: Bins, limit: LimitUse, left: float, *, now_s: float, runs: bool
) -> BurnDown:
    last_s = now_s if runs else float(bins.ends.max())
    at = np.append(bins.edges[bins.edges < last_s], last_s)
    lately_s = min(_RECENT * bins.width_s, last_s - at[0])
    spent = _spent(study, bins, limit, np.append(at, last_s - lately_s))
    spent, before = spent[:-1], spent[-1]
    # What has no time of its own, such as trials that wait, lies before all that has.
    was_left = np.clip(left + spent[-1] - spent, 0.0, limit.most)
    rate = (spent[-1] - before) / lately_s if runs and lately_s > 0 else 0.0
    ends_s = last_s + left / rate if rate > 0 and left > 0 else None
    return BurnDown(limit=limit, at_s=at, left=was_left, ends_s=ends_s, lately_s=lately_s)


def _spent(
    study: Followed, bins: Bins, limit: LimitUse, at: NDArray[np.float64]
) -> NDArray[np.float64]:
    """``[t]``, spent until some moments; a trial is when its first run begins."""
    attempts, mirror = bins.attempts, study.mirror
    if limit.kind != "trials":
        counts = ~np.isnan(attempts[limit.kind].astype(np.float64))
        if limit.search:
            of = mirror.trials.code_of(limit.search)
            counts &= mirror.search_of_attempts() == of
        return bins.until(at, limit.kind, counts)
    of_runs = attempts["run"] > 0
    trial = mirror.column("trial")[attempts["row"][of_runs]]
    first = np.full(len(mirror.trials), np.inf)
    np.minimum.at(first, trial, attempts["started_s"][of_runs])
    mine = mirror.trials.of_search(limit.search) if limit.search else ~mirror.trials.alone
    begun = first[np.isfinite(first) & mine]
    return until(at, begun, begun, np.ones(len(begun)))


def _ahead(one: BurnDown, ends_s: float, name: str, colour: str) -> dict[str, Any]:
    """A straight line from now, to nothing or as far as is drawn."""
    now_s, left = float(one.at_s[-1]), float(one.left[-1])
    until_s = min(ends_s, now_s + _FARTHEST * (now_s - float(one.at_s[0])))
    then = left * (1 - (until_s - now_s) / (ends_s - now_s))
    return _series(name, [now_s, until_s], [left, then], colour, [4, 4])


def _series(
    name: str, x: list[float], y: list[float], colour: str, dash: list[int]
) -> dict[str, Any]:
    return {"name": name, "colour": colour, "dash": dash, "x": x, "y": y}
