"""What an epoch takes by what packs have taken, and how sure that is: pure functions of sums."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from storage.records import PackCosts

_Name = TypeVar("_Name", bound=Hashable)

_MANY: Final = 200
"""Degrees of freedom from which on Student's t is told by the normal distribution's quantile."""
_Z: Final = 1.959963984540054
_MOST_ALIKE: Final = 0.95
"""Correlation of packs in turn that is reckoned with at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """What has been timed of one search, or of searches like it.

    Attributes:
        tasks: That its networks learn.
        optimizer: What its runs are trained with.
        own: Its own packs.
        like: Packs of searches of the same weighting, tasks and shape in other studies.
        elsewhere: Packs of all searches of its role and shape in other studies.
        calibrated_s: Device-seconds of an epoch of one run by calibrations, one for each hardware.
    """

    tasks: tuple[str, ...]
    optimizer: str = ""
    own: PackCosts | None = None
    like: PackCosts | None = None
    elsewhere: PackCosts | None = None
    calibrated_s: Sequence[float] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Device-seconds that an epoch of a search's runs takes.

    Attributes:
        epoch_s: Their mean.
        source: Whose packs told it: its ``own``, those of the ``like`` in other studies, of
            ``others`` here, of others ``elsewhere``, or a ``calibration``.
        packs: How many packs the mean is as sure as.
        pack_epochs: Mean number of epochs of a pack.
        spread: Standard deviation of a pack's device-seconds, in parts of what its epochs take on
            average; None where nothing tells it.
        df: Degrees of freedom of `spread`.
    """

    epoch_s: float
    source: str
    packs: float
    pack_epochs: float
    spread: float | None = None
    df: int = 0

    @property
    def elsewhere(self) -> bool:
        """Whether it was timed in other studies."""
        return self.source in ("like", "elsewhere")

    def half_width(self, epochs: float) -> float | None:
        """Half of the 95 % prediction interval of what epochs to come take, in device-seconds.

        t(df) * spread * epoch_s * pack_epochs * sqrt(k + k^2/m), with k packs to come and m timed.

        Returns:
            None where nothing tells the spread.
        """
        if self.spread is None:
            return None if epochs else 0.0
        to_come = epochs / self.pack_epochs
        packs = math.sqrt(to_come + to_come**2 / self.packs)
        return t_quantile(self.df) * self.spread * self.epoch_s * self.pack_epochs * packs


def paces(timed: Mapping[_Name, Timed]) -> dict[_Name, Pace | None]:
    """What an epoch takes by search, or by search and optimiser; None where nothing tells it.

    A search goes by its own packs. One without goes by those of searches like it in other studies,
    else by others of networks of as many tasks, those with its optimiser if there are such, else by
    calibration, each times the level: what
    this study's packs have taken over what they should have by that.
    """
    known = [one for one in timed.values() if one.own is not None]
    bases = {name: _base(one) for name, one in timed.items()}
    level, n_level = _level([(one.own, bases[name]) for name, one in timed.items() if one.own])
    spread, df = _spread([of for one in timed.values() for of in (one.own, one.like) if of])
    if not df:
        spread, df = _spread([one.elsewhere for one in timed.values() if one.elsewhere])
    found: dict[_Name, Pace | None] = {}
    for name, one in timed.items():
        base = bases[name]
        of_size = [of for of in known if len(of.tasks) == len(one.tasks)]
        same = [of for of in of_size if of.optimizer == one.optimizer] or of_size
        alike = [of.own for of in same if of.own]
        if one.own is not None:
            found[name] = _pace(one.own, "own", spread, df)
        elif base is not None and (base.source == "like" or not alike):
            packs = 1 / (1 / base.packs + (1 / n_level if n_level else 0.0))
            found[name] = Pace(
                epoch_s=base.epoch_s * level,
                source=base.source,
                packs=packs,
                pack_epochs=base.pack_epochs,
                spread=spread,
                df=df,
            )
        else:
            others = alike or [of.own for of in known if of.own]
            found[name] = _pace(pooled(others), "others", spread, df) if others else None
    return found


def mixed(parts: Sequence[tuple[Pace | None, float]]) -> Pace | None:
    """The pace of runs that are alike but for their optimisers.

    Args:
        parts: The pace of each, with how many of its epochs are left; those of none take no part.

    Returns:
        None where one that takes part has none.
    """
    left = [(pace, n) for pace, n in parts if n > 0] or [(pace, 1.0) for pace, _ in parts]
    known = [(pace, n) for pace, n in left if pace is not None]
    if len(known) < len(left) or not known:
        return None
    whole = sum(n for _, n in known)
    main = max(known, key=lambda part: part[1])[0]
    return replace(
        main,
        epoch_s=math.fsum(pace.epoch_s * n for pace, n in known) / whole,
        packs=sum(pace.packs for pace, _ in known),
        pack_epochs=math.fsum(pace.pack_epochs * n for pace, n in known) / whole,
    )


def pooled(costs: Sequence[PackCosts]) -> PackCosts:
    """The packs of several searches as those of one.

    Args:
        costs: Not empty.
    """
    return PackCosts(
        search=costs[0].search,
        device=costs[0].device,
        packs=sum(of.packs for of in costs),
        epochs=sum(of.epochs for of in costs),
        device_s=math.fsum(of.device_s for of in costs),
        epochs_squared=math.fsum(of.epochs_squared for of in costs),
        device_s_squared=math.fsum(of.device_s_squared for of in costs),
        product=math.fsum(of.product for of in costs),
        epochs_in_turn=math.fsum(of.epochs_in_turn for of in costs),
        device_s_in_turn=math.fsum(of.device_s_in_turn for of in costs),
        products_in_turn=math.fsum(of.products_in_turn for of in costs),
    )


def _base(one: Timed) -> Pace | None:
    """What an epoch takes by other studies, else by calibration."""
    if one.like is not None:
        return _pace(one.like, "like", None, 0)
    if one.elsewhere is not None:
        return _pace(one.elsewhere, "elsewhere", None, 0)
    if not one.calibrated_s:
        return None
    mean_s = math.fsum(one.calibrated_s) / len(one.calibrated_s)
    return Pace(epoch_s=mean_s, source="calibration", packs=1.0, pack_epochs=1.0)


def _pace(costs: PackCosts, source: str, spread: float | None, df: int) -> Pace:
    return Pace(
        epoch_s=costs.device_s / costs.epochs,
        source=source,
        packs=float(costs.packs),
        pack_epochs=costs.epochs / costs.packs,
        spread=spread,
        df=df,
    )


def _level(pairs: Sequence[tuple[PackCosts, Pace | None]]) -> tuple[float, int]:
    """What own packs took over what they should have, and how many of them say so."""
    both = [(own, base) for own, base in pairs if base is not None]
    should = math.fsum(base.epoch_s * own.epochs for own, base in both)
    if not should:
        return 1.0, 0
    took = math.fsum(own.device_s for own, _ in both)
    return took / should, sum(own.packs for own, _ in both)


def _spread(costs: Sequence[PackCosts]) -> tuple[float | None, int]:
    """How packs differ from the mean of their search, in parts of it; pooled over searches.

    Packs that follow each other are often alike, as a machine is busy for a while. With the
    correlation c of one to the next, sums of n of them vary as those of n (1 - c)/(1 + c) would.
    """
    squares, in_turn, df = 0.0, 0.0, 0
    for of in costs:
        rate, size = of.device_s / of.epochs, of.epochs / of.packs
        if of.packs > 1 and rate > 0:
            rest = of.device_s_squared - 2 * rate * of.product + rate**2 * of.epochs_squared
            turn = of.device_s_in_turn - rate * of.products_in_turn + rate**2 * of.epochs_in_turn
            squares += max(0.0, rest) / (rate * size) ** 2
            in_turn += turn / (rate * size) ** 2
            df += of.packs - 1
    if not df:
        return None, 0
    correlation = min(max(in_turn / squares, 0.0), _MOST_ALIKE) if squares else 0.0
    alike = (1 + correlation) / (1 - correlation)
    return math.sqrt(squares / df * alike), max(1, round(df / alike))


def t_quantile(df: int) -> float:
    """The t that Student's distribution exceeds in absolute value with 5 %, for whole `df`.

    `reports.inference` has all levels; it needs packages that planning does without.
    """
    if df > _MANY:
        return _Z * (1 + (_Z**2 + 1) / (4 * df))
    low, high = 0.0, math.pi / 2
    for _ in range(60):  # the angle halves the interval to the last digit
        angle = (low + high) / 2
        low, high = (angle, high) if _within(angle, df) < 0.95 else (low, angle)
    return math.sqrt(df) * math.tan(low)


def _within(angle: float, df: int) -> float:
    """P(|T| <= sqrt(df) tan(angle)), after Abramowitz and Stegun 26.7.3 and 26.7.4."""
    sine, cosine = math.sin(angle), math.cos(angle)
    term, total = (cosine, cosine if df > 1 else 0.0) if df % 2 else (1.0, 1.0)
    for k in range(3 if df % 2 else 2, df - 1, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    return 2 / math.pi * (angle + sine * total) if df % 2 else sine * total
