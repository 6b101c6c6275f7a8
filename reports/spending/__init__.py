"""What is reached by spending: stages of searches, their best-so-far curves, and equal budgets.

Reads frames and trials; says what each number costs, and how sure it is.
"""

from reports.spending.axes import offered
from reports.spending.budget import Budget, parse_budgets
from reports.spending.curves import BudgetCurve, budget_curve, budget_curves, why_no_curve
from reports.spending.equal import AtBudget, EqualBudget, equal_budgets, not_held_said, value_said
from reports.spending.matching import CostToMatch, costs_to_match
from reports.spending.sub_grids import GridResolution, grid_resolution

__all__ = [
    "AtBudget",
    "Budget",
    "BudgetCurve",
    "CostToMatch",
    "EqualBudget",
    "GridResolution",
    "budget_curve",
    "budget_curves",
    "costs_to_match",
    "equal_budgets",
    "grid_resolution",
    "not_held_said",
    "offered",
    "parse_budgets",
    "value_said",
    "why_no_curve",
]
