"""GradVac: each task's gradient is turned towards the others, up to the cosines that are usual.

Starting from task i's gradient g, for every other task j in random order: with phi the cosine of g
and g_j and phi' its moving average over steps, if phi < phi', then
g <- g + |g| (phi' sqrt(1 - phi^2) - phi sqrt(1 - phi'^2)) / (|g_j| sqrt(1 - phi'^2)) g_j, which has
the cosine phi' with g_j; the average moves by phi' <- (1 - beta) phi' + beta phi. The update is the
sum of what comes of all tasks. Averages start at 0, at which GradVac is PCGrad.

Everything is done on coefficients of the tasks' gradients, for which their inner products suffice.
The trunk is one group ("whole model" in the paper).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import TYPE_CHECKING, ClassVar

from trainers.weightings import Hyper, HyperValue, MissingNoise
from trainers.weightings.levels import GradientStep, StatefulGradientWeighting

if TYPE_CHECKING:
    from torch import Tensor


class GradVac(StatefulGradientWeighting):
    """The sum of the tasks' gradients, each turned to its usual cosines with the others."""

    name = "gradvac"
    title = "GradVac"
    formula = "sum of g_k, each turned to its usual cosines with the others"
    also_in = ("LibMTL", "TorchJD")
    noise = True
    axes: ClassVar[Mapping[str, str]] = {"cosines": "TT"}
    paper = (
        "Wang et al., Gradient Vaccine: Investigating and Improving Multi-Task Optimization in "
        "Massively Multilingual Models, ICLR 2021, arXiv 2010.05874"
    )
    hypers = (
        Hyper(
            name="beta",
            doc="share of a step's cosines in their moving averages",
            default=0.5,
            low=0.0,
            high=1.0,
        ),
    )

    def state(self, _hyper: Mapping[str, HyperValue], /) -> Mapping[str, float]:
        """Averages of the cosines ``[T, T]``: of task i as it was turned, with task j."""
        return {"cosines": 0.0}

    def step(
        self,
        gradients: Tensor,
        *,
        hyper: Mapping[str, Tensor],
        state: Mapping[str, Tensor],
        noise: Tensor | None,
        **_: object,
    ) -> GradientStep:
        """Rows ``[T, P]`` to their turned sum ``[P]``; row i of the noise orders task i's.

        Raises:
            MissingNoise: There is no noise.
        """
        n_tasks = len(gradients)
        if noise is None:
            raise MissingNoise(
                f"GradVac needs standard normal noise of shape [{n_tasks}, {n_tasks}]. Got none. "
                "Draw it anew for every step."
            )
        gramian = gradients @ gradients.mT
        unit = gramian.new_ones(n_tasks).diag()
        orders = noise.masked_fill(unit.bool(), inf).argsort(-1)[:, :-1]
        lengths, averages = gramian.diagonal().sqrt(), state["cosines"].to(gramian.dtype)
        rows, tasks = unit, unit.argmax(-1)
        for others in orders.unbind(-1):
            inner = rows @ gramian
            own = (inner * rows).sum(-1).clamp(min=0.0).sqrt()
            other = lengths[others]
            cosine = _ratio(inner[tasks, others], own * other)
            usual = averages[tasks, others]
            sine, usual_sine = (_sine(of) for of in (cosine, usual))
            turn = own * _ratio(usual * sine - cosine * usual_sine, other * usual_sine)
            turn = turn.where(cosine < usual, turn.new_zeros(()))
            rows = rows + turn.unsqueeze(-1) * unit[others]
            moved = usual + hyper["beta"].to(usual) * (cosine - usual)
            averages = averages.index_put((tasks, others), moved)
        weights = rows.sum(0)
        kept = {"cosines": averages.to(state["cosines"].dtype)}
        return GradientStep(weights @ gradients, weights, kept)


def _sine(cosine: Tensor) -> Tensor:
    """At least 1e-3, as far as cosines are known in float32: nothing is turned to a cosine of 1."""
    return (1 - cosine * cosine).clamp(min=1e-6).sqrt()


def _ratio(of: Tensor, by: Tensor) -> Tensor:
    """A ratio; 0 to 0, as of a task without a gradient, which is turned by nothing, is 0."""
    return of / by.where(by > 0, by.new_full((), inf))
