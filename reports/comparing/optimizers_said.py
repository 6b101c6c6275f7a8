"""Optimisers in words: which is better, what of each is left undominated, how alike they rank."""

import math
from collections.abc import Iterator, Mapping
from typing import Final

from reports._ranking import number
from reports.comparing.differences import Verdict
from reports.comparing.optimizers import OptimizerPair, Optimizers
from reports.comparing.settings import Best
from reports.inference.rankings import Agreement
from storage.objectives import Objective
from storage.wording import counted

_THAN: Final[Mapping[Verdict, str]] = {
    "better": "better than with",
    "worse": "worse than with",
    "comparable": "comparable to that with",
    "undecided": "not told from that with",
}


def optimizers_said(found: Optimizers) -> Iterator[str]:
    """Some sentences of each pair."""
    for pair in found.pairs:
        best = [_best_said(pair)] if pair.differences else []
        ranking = [] if pair.ranking is None else [_ranking_said(pair, pair.ranking)]
        yield " ".join([*best, counts_said(pair), *ranking])


def _best_said(pair: OptimizerPair) -> str:
    """For which weightings the best trial is better with the one, by verdict."""
    parts = []
    for verdict, words in _THAN.items():
        mine = [pair.titles[w] for w, gap in pair.differences.items() if gap.verdict == verdict]
        if mine:
            parts.append(f"{words} {pair.b} for {', '.join(mine)}")
    family = ", after Holm" if len(pair.differences) > 1 else ""
    return f"On test, the best with {pair.a} is {'; '.join(parts)} (95 %{family})."


def counts_said(pair: OptimizerPair) -> str:
    """How many trials of each no trial dominates, at equal numbers."""
    (n_a, n_b), n_drawn = pair.n_trials, pair.counts.n_drawn
    with_ = f"with {counted(len(pair.titles), 'weighting')}"
    among = f"Of {counted(n_a, 'trial')} each of {pair.a} and {pair.b} {with_}"
    if not n_a == n_b == n_drawn:
        among = (
            f"Of {n_drawn:,} of the {n_a:,} trials of {pair.a} and as many of the {n_b:,} of "
            f"{pair.b} {with_}, on average over all choices"
        )
    front, left = (
        [count(value) for value in of] for of in (pair.counts.on_front, pair.counts.undominated)
    )
    return (
        f"{among}, {front[0]} and {front[1]} lie on the joint front of their mean test metrics, "
        f"and {left[0]} and {left[1]} are dominated by no trial of the other."
    )


def trial_said(objective: Objective, best: Best, params: str) -> str:
    """The best trial's parameters; where the value beside them is of others, too, its own one."""
    if best.n_trials == 1 or not math.isfinite(best.own):
        return params
    own = number(objective, best.own)
    return f"{params}; its own value is {own}, the one here is of {best.n_trials} trials"


def count(value: float) -> str:
    """A count, with a decimal where it is a mean that needs one."""
    return f"{value:.1f}".removesuffix(".0")


def _ranking_said(pair: OptimizerPair, found: Agreement) -> str:
    """Kendall's tau with its interval, and the pairs that seeds tell."""
    verdict = "undecided at this resolution whether the rankings go together"
    if found.low > 0:
        verdict = "the rankings go together"
    elif found.high < 0:
        verdict = "the one ranking is closer to the other's reverse"
    told = found.n_alike + found.n_reversed
    return (
        f"Both rank {counted(len(pair.differences), 'weighting')}, with Kendall's tau "
        f"{tau_said(found)}: {verdict}. Seeds tell the order of {told} of "
        f"{counted(found.n_pairs, 'pair')} with both: {found.n_alike} the same, "
        f"{found.n_reversed} the other way round."
    )


def tau_said(found: Agreement) -> str:
    """``+0.71 (95 % interval +0.24 to +1.00)``."""
    said = f"{found.tau:+.2f} (95 % interval {found.low:+.2f} to {found.high:+.2f})"
    return said.replace("-", "\N{MINUS SIGN}")
