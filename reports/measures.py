"""The formulas behind the reports, on plain arrays (MEASURES M8, M14).

Shapes: M metrics, N trials, S seeds. Values are delta_m in percent: negative is better.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

# Winner probabilities below this are left out of sums: far under the rounding of the result.
_NEGLIGIBLE: Final = 1e-20

# The band of search orders runs between these quantiles.
_ORDER_LEVELS: Final = (0.1, 0.9)


def baseline_error_points(errors: npt.ArrayLike, baseline: npt.ArrayLike, n_metrics: int) -> float:
    """Standard error that a finite split gives to delta_m (M14): 100/M sqrt(sum_j (se_j/B_j)^2).

    Args:
        errors: ``[m]``, standard errors of the metrics that have one, m <= M.
        baseline: ``[m]``, their baselines.
        n_metrics: M.
    """
    ratios = np.asarray(errors, dtype=np.float64) / np.asarray(baseline, dtype=np.float64)
    return float(100.0 / n_metrics * np.sqrt(np.sum(ratios**2)))


def missed(n_trials: int, drawn: int, ranks: int) -> FloatArray:
    """P(none of the q best is among the drawn) = C(N-q, n)/C(N, n), for q = 0 .. `ranks`.

    A running product of ratios: no factorials, so nothing overflows or cancels.

    Returns:
        ``[ranks + 1]``, falling from 1; 0 for q > N - n.
    """
    q = np.arange(ranks, dtype=np.float64)
    ratios = np.maximum(n_trials - drawn - q, 0.0) / (n_trials - q)
    return np.concatenate(([1.0], np.cumprod(ratios)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Score of the winner after some trials, over all orders of the trials.

    Attributes:
        value: ``[n]``, the mean over orders.
        low: ``[n]``, the 10 % quantile over orders.
        high: ``[n]``, the 90 % quantile over orders.
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray


def expected_best(
    keys: FloatArray,
    scores: FloatArray,
    *,
    ties: Sequence[FloatArray] = (),
    incumbent: tuple[float, ...] | None = None,
    incumbent_score: float = np.nan,
    draws: Iterable[int] | None = None,
) -> Expected:
    """Expected score of the best of n random trials (M8).

    y(n) = [ sum_{k<b} t_(k) C(N-1-k, n-1) + t_h C(N-b, n) ] / C(N, n): exact, without drawing any
    order. Trials are ranked by `keys`, then by each of `ties`, then by position. The same formula
    is the unbiased estimator for random search.

    Args:
        keys: ``[N]``, what trials are chosen by (validation); +inf for diverged ones, which win
            nothing: while one of them could be the best, the value is NaN.
        scores: ``[N]``, what the winner is judged by (test).
        ties: Further keys ``[N]``, most important first.
        incumbent: Key (and ties) of the best trial of earlier stages; trials ranked behind it do
            not matter. One that diverged counts as none.
        incumbent_score: Its score.
        draws: The n to evaluate, each from 1 to N; all of them by default.
    """
    finite = int(np.isfinite(keys).sum())
    held = incumbent is not None and bool(np.isfinite(incumbent[0]))
    better = _ranked_before(keys, ties, incumbent) if held and incumbent else finite
    useful = np.lexsort((*reversed(ties), keys))[:better]
    n_trials = len(keys)
    rows = [
        (np.nan,) * 3  # this draw may hold diverged trials only
        if not held and drawn <= n_trials - finite
        else _summary(_winner_shares(n_trials, drawn, better), scores[useful], incumbent_score)
        for drawn in (range(1, n_trials + 1) if draws is None else draws)
    ]
    value, low, high = np.asarray(rows, dtype=np.float64).reshape(-1, 3).T
    return Expected(value=value, low=low, high=high)


def _ranked_before(
    keys: FloatArray, ties: Sequence[FloatArray], incumbent: tuple[float, ...]
) -> int:
    """How many trials are ranked before the incumbent: the b of M8."""
    before = np.zeros(len(keys), dtype=np.bool_)
    level = np.ones(len(keys), dtype=np.bool_)
    for column, bar in zip((keys, *ties), incumbent, strict=True):
        before |= level & (column < bar)
        level &= column == bar
    return int(before.sum())


def _winner_shares(n_trials: int, drawn: int, useful: int) -> FloatArray:
    """P(the winner of a draw has rank k) for the useful ranks; last, P(none of them is drawn).

    Ranks that win with less than a negligible probability are cut off: there are many of them
    unless the draw is small, so that a whole curve takes N log N steps rather than N^2.
    """
    ranks = useful
    if drawn < n_trials:
        reach = np.log(_NEGLIGIBLE) / np.log1p(-drawn / n_trials)
        ranks = min(useful, int(reach) + 1)
    gone = missed(n_trials, drawn, ranks)
    won = gone[:-1] * drawn / (n_trials - np.arange(ranks))
    return np.append(won, gone[-1] if ranks == useful else 0.0)


def _summary(
    shares: FloatArray, ranked: FloatArray, incumbent_score: float
) -> tuple[float, float, float]:
    """Mean and order quantiles of the winner's score."""
    scores = np.append(ranked[: len(shares) - 1], incumbent_score)
    possible = shares > 0
    scores, shares = scores[possible], shares[possible]
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(shares[order])
    # Rounding must not lift the threshold over a level that is reached exactly.
    at = np.searchsorted(reached, np.asarray(_ORDER_LEVELS) - 1e-12)
    low, high = scores[order[np.minimum(at, len(order) - 1)]]
    return float(scores @ shares), float(low), float(high)


def running_best(
    keys: FloatArray, scores: FloatArray, *, ties: Sequence[FloatArray] = ()
) -> FloatArray:
    """Score of the best trial so far, with the trials in the order in which they were run.

    Args:
        keys: ``[N]``, what trials are chosen by; +inf for diverged ones, which are never chosen.
        scores: ``[N]``, what the winner is judged by.
        ties: Further keys ``[N]``, most important first.

    Returns:
        ``[N]``; NaN until the first trial that can be chosen.
    """
    rank = np.empty(len(keys), dtype=np.int64)
    rank[np.lexsort((*reversed(ties), keys))] = np.arange(len(keys))
    best = np.minimum.accumulate(rank)
    at = np.argsort(rank)[best]
    return np.where(np.isfinite(keys[at]), scores[at], np.nan)
