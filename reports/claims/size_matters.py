"""C3: the larger the network, the less the weighting matters.

Shapes: K sizes of network, A methods, S seeds.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from reports._ranking import number, objective_of
from reports._titles import title_of, weighting_of
from reports.claims.claim import Claim, Effect, Finding, not_asked
from reports.claims.evidence import (
    ends,
    refuse_without_weightings,
    runs_of,
    seeds_that_decide,
    told_beforehand,
    undecided_yet,
)
from reports.claims.methods import outstanding
from reports.comparing.winners import winner_of
from reports.comparing.wording import gaps_of
from reports.frames import StudyFrames
from reports.inference import Estimate
from reports.inference.spreads import jackknifed, spread_squared
from reports.measures import FloatArray
from storage.wording import counted

NAME: Final = "C3"
_STATES: Final = "The larger the network, the less the weighting matters"
_FEWEST_SIZES: Final = 3
_FEWEST_METHODS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sized:
    """A study with the size of its network.

    Attributes:
        n_parameters: That are trained, of trunk and heads; None where it is not known.
    """

    frames: StudyFrames
    n_parameters: int | None


def size_matters(studies: Sequence[Sized]) -> Claim:
    """How the spread of methods changes with the logarithm of the parameters.

    Args:
        studies: Of one problem and objective, each with a network and single-task networks of its
            own.

    Raises:
        NoTable: One is sealed, or is that of a training function or a trainer.
    """
    for study in studies:
        refuse_without_weightings(study.frames)
    return told_beforehand(_asked(studies), *(study.frames for study in studies))


def _asked(studies: Sequence[Sized]) -> Claim:
    ordered = sorted(studies, key=lambda study: (study.n_parameters or 0, study.frames.name))
    methods = _common_methods(ordered)
    if wanted := _wanted(ordered, methods):
        return not_asked(NAME, _STATES, wanted)
    waiting = ((s.frames.name, outstanding(s.frames, methods)) for s in ordered)
    if missing := "; ".join(f"{name}: {what}" for name, what in waiting if what):
        return undecided_yet(NAME, _STATES, missing)
    values = _values(ordered, methods)
    if values is None:
        return not_asked(NAME, _STATES, "at least three common seeds on which no winner diverged")
    return _told(ordered, methods, values)


def _wanted(studies: Sequence[Sized], methods: Sequence[str]) -> str:
    """What the studies lack, to follow on ``it needs``; empty if they lack nothing."""
    sizes = {study.n_parameters for study in studies}
    if len(studies) >= _FEWEST_SIZES and None in sizes:
        return "networks whose parameters can be counted before they have seen data"
    if len(sizes) < _FEWEST_SIZES:
        return (
            "networks of three sizes or more, a study each with single-task networks of its own: "
            "`weighbridge claims SMALL MEDIUM LARGE`"
        )
    first = studies[0].frames
    if len({(one.frames.card.get("name"), one.frames.tasks) for one in studies}) > 1:
        return "studies of one problem"
    if any(objective_of(one.frames).name != objective_of(first).name for one in studies):
        return "studies with one objective"
    if not all(one.frames.standing_baseline("test") for one in studies):
        return "single-task networks in each of the studies, whose runs have ended"
    if len(methods) < _FEWEST_METHODS:
        return "at least two methods that all of the studies have"
    return ""


def _common_methods(studies: Sequence[Sized]) -> list[str]:
    """Searches of the first study that all have, with the same weighting."""
    if not studies:
        return []
    first, *others = (study.frames for study in studies)
    return [
        search
        for search in first.searches
        if all(
            search in other.searches and weighting_of(other, search) == weighting_of(first, search)
            for other in others
        )
    ]


def _values(studies: Sequence[Sized], methods: Sequence[str]) -> FloatArray | None:
    """Winners' test values ``[K, A, S]`` over the common seeds; None without three finite ones."""
    by_seed = [
        [winner.by_seed for m in methods if (winner := winner_of(study.frames, m)) is not None]
        for study in studies
    ]
    seeds = set.intersection(*(set(one) for of_size in by_seed for one in of_size))
    values = np.array([[[one[s] for s in sorted(seeds)] for one in k] for k in by_seed])
    return values if len(seeds) > 2 and np.isfinite(values).all() else None


def _told(studies: Sequence[Sized], methods: Sequence[str], values: FloatArray) -> Claim:
    slope = slope_of_spread(values, np.array([float(one.n_parameters or 0) for one in studies]))
    spreads = [jackknifed(spread_squared, table) for table in values]
    finding, first = falling(slope), studies[0].frames
    gaps = gaps_of(objective_of(first))
    plain, points = replace(gaps, unit=""), gaps.unit
    unit = f"{points}² per tenfold parameters" if points else "per tenfold parameters"
    parts = [
        f"{_root(one.value)}{_ends(one)} with {study.n_parameters:,} parameters"
        for study, one in zip(studies, spreads, strict=True)
    ]
    return Claim(
        name=NAME,
        states=_STATES,
        finding=finding,
        said=f"Beyond what seeds make of it, the standard deviation over "
        f"{counted(len(methods), 'method')} on test is {'; '.join(parts)}. Its square changes by "
        f"{number(plain, slope.value)} {unit} ({ends(plain, slope.interval())}).",
        effects=(
            Effect(name="slope", value=slope.value, interval=slope.interval(), unit=unit),
            *(
                Effect(
                    name=f"squared spread with {study.n_parameters} parameters",
                    value=one.value,
                    interval=one.interval(),
                    unit=f"{points}²" if points else "",
                )
                for study, one in zip(studies, spreads, strict=True)
            ),
        ),
        would_decide=seeds_that_decide(slope, abs(slope.value)) if finding == "undecided" else "",
        remarks=tuple(_remarks(studies, methods)),
        runs={
            name: runs for study in studies for name, runs in runs_of(study.frames, methods).items()
        },
    )


def _remarks(studies: Sequence[Sized], methods: Sequence[str]) -> Iterator[str]:
    first = studies[0].frames
    titles = ", ".join(title_of(first, method) for method in methods)
    yield f"It is said of these methods and sizes, as they were tuned here: {titles}."
    if any(one.frames.spec.get("training") != first.spec.get("training") for one in studies):
        yield "The studies differ in [training], too, which may be why methods spread otherwise."


def _ends(spread: Estimate) -> str:
    known = spread.interval()
    return "" if known is None else f" ({_root(known.low)} to {_root(known.high)})"


def _root(squared: float) -> str:
    return f"{math.sqrt(max(0.0, squared)):.2f}"


def slope_of_spread(values: FloatArray, sizes: FloatArray) -> Estimate:
    """Least-squares slope of the squared spread on log10 of the parameters, seeds left out in turn.

    Args:
        values: ``[K, A, S]``.
        sizes: ``[K]``, not all equal.
    """
    at = np.log10(sizes) - np.log10(sizes).mean()
    weights = at / np.sum(at**2)
    return jackknifed(lambda table: float(weights @ [spread_squared(one) for one in table]), values)


def falling(found: Estimate) -> Finding:
    """The sign of all of the interval, or undecided."""
    known = found.interval()
    if known is None or not known.excludes(0.0):
        return "undecided"
    return "supported" if known.high < 0 else "not supported"
