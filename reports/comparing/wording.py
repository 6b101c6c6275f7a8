"""Differences in words: the verdict, the size with its interval, and what would decide."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from reports._ranking import number
from reports.comparing.differences import Difference, Verdict
from reports.inference import Interval
from storage.objectives import Objective
from storage.wording import counted

# What differences of percents are.
_POINTS: Final = {"%": "points"}


def span(objective: Objective, interval: Interval) -> str:
    """Both ends of an interval, without the unit: ``−1.20 to +0.50``."""
    bare = replace(objective, unit="", shown=_digits(objective.shown, interval.half_width))
    return f"{number(bare, interval.low)} to {number(bare, interval.high)}"


def _digits(shown: str, half_width: float) -> str:
    """A format of so many significant digits, as one of decimals: no more than two that vary."""
    if shown.endswith("f") or not half_width > 0:
        return shown
    decimals = max(0, 1 - math.floor(math.log10(half_width)))
    return f"{'+' if shown.startswith('+') else ''}.{decimals}f"


def gaps_of(objective: Objective) -> Objective:
    """As differences are written: with their sign, those of percents in points."""
    unit = _POINTS.get(objective.unit, objective.unit)
    return replace(objective, unit=unit, shown=f"+{objective.shown.lstrip('+')}")


def in_words(found: Difference, objective: Objective, other: str) -> str:
    """A sentence, without its full stop, on how the subject compares with another method."""
    gaps = gaps_of(objective)
    if found.interval is None:
        seeds = counted(found.estimate.n_seeds, "seed")
        said = f"{number(gaps, found.value)} over {seeds}, for which there is no interval"
        return f"Against {other} it is undecided: {said}"
    if found.verdict in ("better", "worse"):
        sizes = replace(gaps, shown=gaps.shown.lstrip("+"))
        low, high = sorted((abs(found.interval.low), abs(found.interval.high)))
        ends = span(sizes, replace(found.interval, low=low, high=high))
        by = f"{number(sizes, abs(found.value))} (95 % interval {ends})"
        return f"It is {found.verdict} than {other} by {by}{_margin(found)}"
    told = f"{number(gaps, found.value)} (95 % interval {span(gaps, found.interval)})"
    if found.verdict == "comparable":
        return f"It is comparable to {other}: {told}, within the margin of {found.margin:g}"
    return f"Against {other} it is undecided at this resolution: {told}{seeds_said(found)}"


def paired_seeds(found: Difference, a: str, b: str) -> str:
    """What the seeds that two methods share buy, and what a test without a distribution says."""
    n_seeds = counted(found.estimate.n_seeds, "common seed")
    if found.pairing is None:
        said = f"{n_seeds} of {a} and {b} do not tell how far their values go together (from 4 on)"
    else:
        r, low, high = (
            f"{value:.2f}".replace("-", "\N{MINUS SIGN}")
            for value in (found.pairing.correlation, found.pairing.low, found.pairing.high)
        )
        saved = round(found.pairing.seeds_saved)
        worth = f"saves each about {saved} further seeds" if saved > 0 else "saves no seeds"
        said = (
            f"Over {n_seeds}, values of {a} and {b} correlate at {r} (95 % interval {low} to "
            f"{high}), which {worth}"
        )
    if found.sign_flip_p is None:
        return f"{said}; a sign-flip test cannot decide below 6 seeds."
    return f"{said}; a sign-flip test of their difference has p = {found.sign_flip_p:.2g}."


def _margin(found: Difference) -> str:
    if found.margin is None:
        return ""
    where = {True: "beyond", False: "within", None: "around"}[found.matters]
    return f", {where} the margin of {found.margin:g}"


def seeds_said(found: Difference) -> str:
    """What would decide, with the margin beside it; begins with a semicolon."""
    if found.interval is None:
        return "; one seed says nothing about others"
    would = f"{would_decide(found)} would decide"
    return f"; {would}" if found.margin is None else f"; the margin is {found.margin:g}; {would}"


def would_decide(found: Difference) -> str:
    """How many seeds would decide what is undecided."""
    n_seeds = found.seeds_to_decide
    return "more than 10,000 seeds" if n_seeds is None else f"about {counted(n_seeds, 'seed')}"


def by_verdict(verdicts: Mapping[str, Verdict], words: Mapping[Verdict, str]) -> str:
    """How many there are of each verdict, with their titles; of better ones also that none is.

    Args:
        verdicts: Title to verdict.
        words: What stands before the number, by verdict, in the order wanted.
    """
    counts = []
    for verdict, word in words.items():
        titles = [title for title, found in verdicts.items() if found == verdict]
        if titles or verdict == "better":
            names = f" ({', '.join(titles)})" if titles else ""
            counts.append(f"{word} {len(titles)}{names}")
    return ", ".join(counts[:-1]) + " and " * (len(counts) > 1) + counts[-1]
