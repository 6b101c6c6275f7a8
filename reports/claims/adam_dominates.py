"""C6: Adam dominates SGD at equal trials.

Shapes: S seeds.
"""

import operator
from dataclasses import replace
from typing import Final

import numpy as np

from reports._titles import weighting_of
from reports.claims.claim import Claim, Effect, Finding, not_asked
from reports.claims.evidence import SECOND_SEED, listed, seeds_that_decide, undecided_yet
from reports.claims.methods import outstanding
from reports.comparing.optimizers import OptimizerPair, optimizers_of
from reports.comparing.optimizers_said import count, counts_said
from reports.comparing.rows import runs_final
from reports.comparing.settings import optimizers_tried
from reports.frames import StudyFrames
from reports.inference import Estimate, Interval, mean_of

NAME: Final = "C6"
_STATES: Final = "Adam dominates SGD at equal trials: more of its trials are left undominated"
_SIDES: Final = ("adam", "sgd")
_TRIED: Final = "A share is of the trials that were tried: it goes by the learning rates of both."
_NEEDS: Final = (
    'trials of Adam and SGD with the same weighting, such as `optimizer = ["adam", "sgd"]` beside '
    "the learning rates of a stage"
)


def adam_dominates(frames: StudyFrames) -> Claim:
    """The share of Adam's trials that no trial of SGD dominates, minus the reverse."""
    tried = optimizers_tried(frames)
    by_weighting = [
        {weighting_of(frames, search): search for search in tried.get(name, ())} for name in _SIDES
    ]
    common = by_weighting[0].keys() & by_weighting[1].keys()
    searches = tuple(
        search
        for search in frames.searches
        if weighting_of(frames, search) in common and any(search in tried[name] for name in _SIDES)
    )
    if not searches:
        return not_asked(NAME, _STATES, _NEEDS)
    # a search whose trials have all diverged has no winner, and counts
    open_ = [s for s in searches if operator.lt(*runs_final(frames, s))]
    if missing := outstanding(frames, open_):
        return undecided_yet(NAME, _STATES, missing)
    found = optimizers_of(frames, searches)
    pairs = [pair for pair in found.pairs if {pair.a, pair.b} == {*_SIDES}] if found else []
    return _told(frames, pairs[0]) if pairs else not_asked(NAME, _STATES, _NEEDS)


def left_more(gap: Estimate) -> Finding:
    """All of the interval on one side of 0, or undecided; no gap on any seed is none."""
    known = gap.interval()
    if known is None or known.low <= 0 < known.high:
        return "undecided"
    return "supported" if known.low > 0 else "not supported"


def of_the_front(on_front: tuple[float, float]) -> str:
    """What must be known where the joint front has no more trials of Adam; else empty.

    Args:
        on_front: Trials of Adam on it, and of SGD.
    """
    adam, sgd = on_front
    if adam > sgd:
        return ""
    return (
        f"Of the best trade-offs alone it cannot be said: {count(adam)} of Adam's trials lie on "
        f"the joint front, and {count(sgd)} of SGD's. The finding goes by all trials that were "
        "tried."
    )


def _told(frames: StudyFrames, pair: OptimizerPair) -> Claim:
    at = {name: (pair.a, pair.b).index(name) for name in _SIDES}
    shares = np.array([[one.shares[at[name]] for one in pair.by_seed] for name in _SIDES])
    adam, sgd = (mean_of(100 * of) for of in shares)
    gap = mean_of(100 * (shares[0] - shares[1]))
    finding = left_more(gap)
    front = (pair.counts.on_front[at["adam"]], pair.counts.on_front[at["sgd"]])
    return Claim(
        name=NAME,
        states=_STATES,
        finding=finding,
        said=f"{counts_said(pair)} {_seed_by_seed(gap)}",
        effects=tuple(
            Effect(name=name, value=one.value, interval=within, unit=unit, shown=shown)
            for name, one, within, unit, shown in (
                ("Adam minus SGD", gap, gap.interval(), "points", "+.1f"),
                ("share of Adam", adam, _of_a_share(adam), "%", ".1f"),
                ("share of SGD", sgd, _of_a_share(sgd), "%", ".1f"),
            )
        ),
        would_decide=_would_decide(gap) if finding == "undecided" else "",
        remarks=tuple(
            filter(None, (of_the_front(front) if finding == "supported" else "", _TRIED))
        ),
        runs=listed(frames, pair.runs),
    )


def _of_a_share(found: Estimate) -> Interval | None:
    """The interval of a share in percent, no further than shares go."""
    known = found.interval()
    if known is None:
        return None
    return replace(known, low=max(known.low, 0.0), high=min(known.high, 100.0))


def _seed_by_seed(gap: Estimate) -> str:
    known = gap.interval()
    within = (
        "one seed: no interval"
        if known is None
        else f"95 % interval {known.low:+.1f} to {known.high:+.1f}"
    )
    said = (
        "Seed by seed, the share of its trials that none of the other dominates is "
        f"{gap.value:+.1f} points larger for Adam ({within})."
    )
    return said.replace("-", "\N{MINUS SIGN}")


def _would_decide(gap: Estimate) -> str:
    return SECOND_SEED if gap.n_seeds < 2 else seeds_that_decide(gap, abs(gap.value))
