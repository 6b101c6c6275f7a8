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
    levels, steps, rejecting = [level] * n_tests, 0, True
    for at in order:
        levels[at] = 1 - error / (n_tests - steps)
        rejecting = rejecting and p_values[at] <= error / (n_tests - steps)
        steps += rejecting
    return levels
