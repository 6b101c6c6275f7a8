"""The formulas behind the reports, on plain arrays (MEASURES M8, M14).

Shapes: M metrics, N trials, S seeds. Values are delta_m in percent: negative is better.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import comb
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# Winner probabilities below this are left out of sums: far under the rounding of the result.
_NEGLIGIBLE: Final = 1e-20

# Probabilities that are held at once, at most, unless one draw has more.
_BLOCK: Final = 2**18

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


def simplex_step(weights: FloatArray) -> float | None:
    """The step of the even grid over the simplex of which weights ``[N, T]`` are the points.

    Points may be missing, but not most of them.

    Returns:
        None of weights that are no such grid, such as a list of some, or points spread by factors.
    """
    step = float(weights[weights > 0].min())
    parts, n_tasks = round(1 / step), weights.shape[1]
    multiples = weights / step
    if not np.allclose(multiples, np.round(multiples), atol=1e-6):
        return None
    lines = parts + n_tasks - 1 if (weights == 0).any() else parts - 1
    return step if 2 * len(weights) > comb(lines, n_tasks - 1) else None


def missed(n_trials: int, drawn: npt.ArrayLike, ranks: int) -> FloatArray:
    """P(none of the q best is among the drawn) = C(N-q, n)/C(N, n), for q = 0 .. `ranks`.

    A running product of ratios: no factorials, so nothing overflows or cancels.

    Args:
        drawn: ``[...]``, numbers n of trials drawn.

    Returns:
        ``[..., ranks + 1]``, falling from 1; 0 for q > N - n.
    """
    n = np.asarray(drawn, dtype=np.float64)[..., None]
    q = np.arange(ranks, dtype=np.float64)
    ratios = np.maximum(n_trials - n - q, 0.0) / (n_trials - q)
    return np.concatenate((np.ones_like(n), np.cumprod(ratios, axis=-1)), axis=-1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Score of the winner after some trials, over all orders of the trials.

    Attributes:
        value: ``[n]``, the mean over orders.
        low: ``[n]``, the 10 % quantile over orders.
        high: ``[n]``, the 90 % quantile over orders.
        concentration: ``[n]``, the sum of squares of the trials' probabilities to be the winner: 1
            where it is certain which one wins, 1/N where each of N is as likely.
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray
    concentration: FloatArray


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
    held = _holds(incumbent)
    useful = _useful(keys, ties, incumbent)
    n_trials, better = len(keys), len(useful)
    drawn = np.array(list(range(1, n_trials + 1) if draws is None else draws), dtype=np.int64)
    rows = np.full((len(drawn), 4), np.nan)  # a draw may hold diverged trials only
    known = np.flatnonzero((drawn > n_trials - finite) | held)
    reach = np.array([_reach(n_trials, int(n), better) for n in drawn[known]], dtype=np.int64)
    for block in _blocks(reach):
        shares = _winner_shares(n_trials, drawn[known[block]], better, reach[block])
        ranked = np.append(scores[useful[: shares.shape[1] - 1]], incumbent_score)
        rows[known[block]] = _summaries(shares, ranked)
    value, low, high, concentration = rows.T
    return Expected(value=value, low=low, high=high, concentration=concentration)


def winner_shares(
    keys: FloatArray,
    *,
    ties: Sequence[FloatArray] = (),
    incumbent: tuple[float, ...] | None = None,
    draws: Iterable[int],
) -> FloatArray:
    """P(a trial is the best of n random ones), which `expected_best` weighs scores with.

    Args:
        keys: ``[N]``, as there, like `ties`, `incumbent` and `draws`.

    Returns:
        ``[n, N + 1]``, by position of the trial; last, the probability that the incumbent stays,
        or, without one, that all that are drawn have diverged.
    """
    useful = _useful(keys, ties, incumbent)
    drawn = np.array(list(draws), dtype=np.int64)
    reach = np.full(len(drawn), len(useful), dtype=np.int64)
    shares = np.zeros((len(drawn), len(keys) + 1))
    shares[:, [*useful, len(keys)]] = _winner_shares(len(keys), drawn, len(useful), reach)
    return shares


def _holds(incumbent: tuple[float, ...] | None) -> bool:
    return incumbent is not None and bool(np.isfinite(incumbent[0]))


def _useful(
    keys: FloatArray, ties: Sequence[FloatArray], incumbent: tuple[float, ...] | None
) -> IntArray:
    """Positions of the trials that can win, best first: finite, and ranked before the incumbent."""
    if incumbent is not None and _holds(incumbent):
        better = _ranked_before(keys, ties, incumbent)
    else:
        better = int(np.isfinite(keys).sum())
    return np.lexsort((*reversed(ties), keys))[:better]


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


def _reach(n_trials: int, drawn: int, useful: int) -> int:
    """How many of the useful ranks win with more than a negligible probability.

    They are few unless the draw is small, so that a curve takes N log N steps rather than N^2.
    """
    if drawn == n_trials:
        return useful
    return min(useful, int(np.log(_NEGLIGIBLE) / np.log1p(-drawn / n_trials)) + 1)


def _blocks(reach: npt.NDArray[np.int64]) -> Iterator[slice]:
    """Draws ``[n]`` that are worked on together, so many that their ranks fit into a block."""
    start = 0
    while start < len(reach):
        widest = np.maximum.accumulate(reach[start:]) + 1
        fitting = int((np.arange(1, len(widest) + 1) * widest <= _BLOCK).sum())
        yield slice(start, start + max(1, fitting))
        start += max(1, fitting)


def _winner_shares(
    n_trials: int, drawn: npt.NDArray[np.int64], useful: int, reach: npt.NDArray[np.int64]
) -> FloatArray:
    """P(the winner of a draw has rank k); last, P(none of the useful ranks is drawn).

    Returns:
        ``[n, max(reach) + 1]``; 0 beyond a draw's reach.
    """
    ranks = np.arange(int(reach.max()))
    gone = missed(n_trials, drawn, len(ranks))
    won = gone[:, :-1] * drawn[:, None] / (n_trials - ranks)
    none = np.where(reach == useful, gone[:, -1], 0.0)
    return np.column_stack((np.where(ranks < reach[:, None], won, 0.0), none))


def _summaries(shares: FloatArray, scores: FloatArray) -> FloatArray:
    """Mean and order quantiles of the winner's score, sum of squared shares; ``[n, 4]``.

    Args:
        shares: ``[n, k]``, probabilities.
        scores: ``[k]``; NaN where nothing is won.
    """
    possible = shares > 0
    means = [row[won] @ scores[won] for row, won in zip(shares, possible, strict=True)]
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(shares[:, order], axis=1)
    # Rounding must not lift the threshold over a level that is reached exactly.
    at = [(reached < level - 1e-12).sum(axis=1) for level in _ORDER_LEVELS]
    last = len(order) - 1 - np.argmax(possible[:, order][:, ::-1], axis=1)
    low, high = (scores[order[np.minimum(place, last)]] for place in at)
    return np.column_stack((means, low, high, np.einsum("nk,nk->n", shares, shares)))


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
