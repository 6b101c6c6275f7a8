"""Several comparisons at once: levels after Holm (1979)."""

from collections.abc import Sequence

from reports.inference.estimates import LEVEL


def holm_levels(p_values: Sequence[float], *, level: float = LEVEL) -> list[float]:
    """The level of each comparison's interval, in the order given.

    Of m comparisons, the one with the k-th smallest p-value (k = 0 first) gets
    1 - (1 - level) / (m - k), up to the first whose interval at that level holds 0; it and all
    after it get the level reached there. So an interval excludes 0 just where Holm's test rejects.

    Args:
        p_values: ``[m]``, two-sided; NaN for a comparison that has no interval, which counts but
            rejects nothing.
    """
    error, n_tests = 1 - level, len(p_values)
    order = sorted(range(n_tests), key=lambda at: (p_values[at] != p_values[at], p_values[at]))
    levels, rejected = [level] * n_tests, 0
    for at in order:
        share = error / (n_tests - rejected)
        levels[at] = 1 - share
        # After the first that is not rejected the share stays, and no larger p-value is below it.
        rejected += p_values[at] <= share
    return levels
