"""How many new trials the budgets of a study and of a search still allow."""

from __future__ import annotations

from collections.abc import Mapping

from study.planning.search_plan import Search
from study.searches import Tried


def trials_left(search: Search, trials: Mapping[str, Tried], of_study: int | None) -> int | None:
    """New trials that may be proposed; None for any number.

    Args:
        trials: Those of the search.
        of_study: New trials that the study's budget allows; None for any number.
    """
    limits = [of_study]
    if search.budget.trials is not None:
        limits.append(search.budget.trials - len(trials))
    known = [limit for limit in limits if limit is not None]
    return max(min(known), 0) if known else None


def cut_to_budget(
    points: Mapping[str, int], trials: Mapping[str, Tried], left: int | None
) -> Mapping[str, int]:
    """Without those wanted points for which no trial is left in a budget, last ones first."""
    if left is None:
        return points
    unknown = [params for params in points if params not in trials]
    refused = set(unknown[left:])
    return {params: number for params, number in points.items() if params not in refused}
