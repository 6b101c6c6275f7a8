"""The rows of a stack that have one weighting, weighed together.

Shapes: R rows of the stack, G rows of the weighting, T tasks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from trainers.engines import masks, one_epoch
from trainers.engines.fused.member import Member
from trainers.engines.fused.rows import Rows
from trainers.engines.masks import Present
from trainers.parts import part
from trainers.randomness import Key

TAIL = 32
"""Rows that repeat the last one: more than a vectorised kernel leaves over, so that no run's
numbers are rounded differently for being the last."""


class WeightingRows:
    """One weighting's hyperparameters, states and noise for its rows.

    Args:
        rows: Numbers of the rows ``[G]``.
        members: All members of the stack, ``[R]``.
    """

    def __init__(
        self, rows: Sequence[int], members: Sequence[Member], device: torch.device
    ) -> None:
        self.weighting = members[rows[0]].weighting
        self._device = device
        self._rows, self._n = torch.tensor(rows, device=device), len(rows)
        adjacent = list(rows) == list(range(rows[0], rows[0] + len(rows)))
        self._slice = slice(rows[0], rows[0] + len(rows)) if adjacent else None
        repeated = [*rows, *[rows[-1]] * TAIL]
        self._padded = torch.tensor(repeated, device=device)
        self._members = [members[row] for row in repeated]
        self._hyper = {
            name: self._tensor([member.hyper[name] for member in self._members])
            for name in self._members[0].hyper
        }
        self.state: Mapping[str, Tensor] = {
            name: torch.stack([self._start(member, name) for member in self._members])
            for name in self.weighting.state(self._members[0].hyper)
        }
        self._learned = tuple(self.weighting.params(self._members[0].hyper))
        self._noise: Tensor | None = None
        self._fixed: dict[Present, Tensor] = {}

    def begin_epoch(self, key: Key, epoch: int, n_steps: int) -> None:
        """Draw the noise of an epoch, each member's from its own address."""
        self._fixed.clear()
        if self.weighting.noise:
            drawn = [
                one_epoch.noise(member.job, key, epoch, n_steps)
                for member in self._members[: self._n]
            ]
            drawn += [drawn[-1]] * TAIL
            self._noise = torch.stack(drawn, dim=1).to(self._device)

    def weigh(
        self, losses: Tensor, weights: Tensor, learned: Rows, step: int, there: Present = None
    ) -> None:
        """Differentiate the objective by losses ``[R, T]`` and by what is learned.

        Of fixed weights once an epoch, for the same tasks.

        The derivatives by the losses go to this weighting's rows of `weights`, the others to
        `learned`'s gradients.
        """
        if there in self._fixed:
            self._put(self._fixed[there], weights)
            return
        leaf = losses.index_select(0, self._padded).requires_grad_()
        params = {
            name: learned.leaves[name].detach().index_select(0, self._padded).requires_grad_()
            for name in self._learned
        }
        with part(f"weighting {self.weighting.name}"):
            objective = masks.objective(
                self.weighting,
                leaf,
                there=there,
                hyper=self._hyper,
                params=params,
                state=self.state,
                noise=None if self._noise is None else self._noise[step],
            )
            found, *gradients = torch.autograd.grad(objective.sum(), [leaf, *params.values()])
        self._put(found, weights)
        if self.weighting.fixed:
            self._fixed[there] = found[: self._n]
        for name, gradient in zip(self._learned, gradients, strict=True):
            self._put(gradient, learned.gradients[name])

    def end_epoch(self, mean_losses: Tensor, there: Present = None) -> None:
        """Change what changes at epoch ends, by mean losses ``[R, T]``."""
        means = mean_losses.index_select(0, self._padded)
        self.state = masks.end_epoch(self.weighting, self.state, means, there)

    def states(self) -> dict[int, dict[str, Tensor]]:
        """Row to its state, name to ``[T]``."""
        return {
            row: {name: value[place].clone() for name, value in self.state.items()}
            for place, row in enumerate(self._rows.tolist())
        }

    def _put(self, values: Tensor, into: Tensor) -> None:
        """Copy this weighting's values, tail or none, into its rows of ``[R, ...]``.

        Writing by numbers of rows is a sort on a GPU that is to be deterministic.
        """
        if self._slice is None:
            into.index_copy_(0, self._rows, values[: self._n])
        else:
            into[self._slice].copy_(values[: self._n])

    def _start(self, member: Member, name: str) -> Tensor:
        if member.state is not None:
            kept: Tensor = member.state["state"][name]
            return kept.to(self._device)
        start = member.weighting.state(member.hyper)[name]
        return self._tensor([start] * len(member.job.tasks))

    def _tensor(self, value: object) -> Tensor:
        return torch.tensor(value, dtype=torch.get_default_dtype(), device=self._device)


def weighed(members: Sequence[Member], device: torch.device) -> list[WeightingRows]:
    """The rows of a stack by weighting, in the order of their first rows."""
    rows: dict[str, list[int]] = {}
    for row, member in enumerate(members):
        rows.setdefault(member.weighting.name, []).append(row)
    return [WeightingRows(of_one, members, device) for of_one in rows.values()]
