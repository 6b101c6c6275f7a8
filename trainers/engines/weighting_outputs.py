"""A weighting tried on made-up numbers before a run is trained with it: by the shapes it returns.

What broadcasts, or is summed over, would else be trained to the end and be wrong.

Shapes: T tasks, R runs of a stack, P shared parameters; ``...`` is empty for one run, or ``(R,)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from trainers.parts import part
from trainers.weightings import BadWeighting, HyperValue, Weighting
from trainers.weightings.levels import (
    AfterStepWeighting,
    GradientStep,
    GradientWeighting,
    GramianWeighting,
    StatefulGradientWeighting,
    state_shape,
)

_RUNS = 2
_fitting: set[tuple[type[Weighting], int, bool]] = set()
"""What was tried in this process: class, number of tasks, whether stacked."""


def refuse_misfit(
    method: Weighting, hyper: Mapping[str, HyperValue], n_tasks: int, *, stacked: bool
) -> None:
    """Call each formula of a method once, unless that was done before.

    Raises:
        BadWeighting: One returns another shape or dtype than it must.
    """
    key = type(method), n_tasks, stacked
    if key not in _fitting:
        with part(f"weighting {method.name}"):
            _Trial(method, hyper, n_tasks, stacked=stacked).run()
        _fitting.add(key)


class _Trial:
    """What a method is given, of ordinary size: losses from 1 to 2, noise from -1 to 1."""

    def __init__(
        self, method: Weighting, hyper: Mapping[str, HyperValue], n_tasks: int, *, stacked: bool
    ) -> None:
        self._method, self._n_tasks = method, n_tasks
        self._lead = (_RUNS,) if stacked else ()
        self._losses = self._rows(torch.linspace(1.0, 2.0, n_tasks))
        self._hyper = {name: self._rows(torch.tensor(value)) for name, value in hyper.items()}
        self._params = {name: self._per_task(value) for name, value in method.params(hyper).items()}
        self._n_shared = n_tasks + 2  # not to be taken for each other
        self._state = {name: self._kept(name, value) for name, value in method.state(hyper).items()}
        self._noise = torch.linspace(-1.0, 1.0, n_tasks)

    def run(self) -> None:
        """Try the formulas that its level has."""
        self._objective()
        state = self._method.end_epoch(self._state, self._losses)
        self._check_state("end_epoch", state)
        if isinstance(self._method, GradientWeighting):
            self._update(self._method)
        if isinstance(self._method, AfterStepWeighting):
            after = self._losses.flip(-1)
            found = self._method.after_step(self._state, self._losses, after, hyper=self._hyper)
            self._check_state("after_step", found)

    def _objective(self) -> None:
        losses = self._losses.clone().requires_grad_()
        params = {name: value.requires_grad_() for name, value in self._params.items()}
        wants_noise = self._method.noise and self._method.level != "gradient"
        found = self._method.objective(
            losses,
            hyper=self._hyper,
            params=params,
            state=self._state,
            noise=self._rows(self._noise) if wants_noise else None,
        )
        self._check("objective", found, self._lead, f"losses {[*losses.shape]}")
        self._params = {name: value.detach() for name, value in params.items()}
        leaves = {"the losses": losses, **{f"`{name}`": value for name, value in params.items()}}
        by: list[Tensor | None] = [None] * len(leaves)
        if found.requires_grad:
            by = [*torch.autograd.grad(found.sum(), [*leaves.values()], allow_unused=True)]
        if missing := [name for name, of in zip(leaves, by, strict=True) if of is None]:
            rule = "depend on the losses and on all that is learned"
            raise self._misfit("objective", rule, f"no derivative by {', '.join(missing)}")

    def _update(self, method: GradientWeighting) -> None:
        n_tasks, n_shared = self._n_tasks, self._n_shared
        gradients = torch.linspace(-1.0, 2.0, n_tasks * n_shared).reshape(n_tasks, n_shared)
        inputs: dict[str, Any] = {
            "losses": self._losses,
            "hyper": self._hyper,
            "params": self._params,
            "state": self._state,
            "noise": self._noise.expand(n_tasks, n_tasks).clone() if method.noise else None,
        }
        of = f"gradients {[n_tasks, n_shared]}"
        if isinstance(method, GramianWeighting):
            weights = method.combination(gradients @ gradients.mT, **inputs)
            self._check("combination", weights, (n_tasks,), f"a Gramian {[n_tasks, n_tasks]}")
        if isinstance(method, StatefulGradientWeighting):
            step = method.step(gradients, **inputs)
            if not isinstance(step, GradientStep):
                raise self._misfit("step", "return a GradientStep", _told(step))
            self._check("step", step.update, (n_shared,), of, which=" as update")
            self._check("step", step.weights, (n_tasks,), of, which=" as weights")
            self._check_state("step", step.state)
            return
        found = method.update(gradients, **inputs)
        if not (isinstance(found, tuple) and len(found) == 2):
            raise self._misfit("update", "return two tensors, update and weights", _told(found))
        self._check("update", found[0], (n_shared,), of, which=" first")
        self._check("update", found[1], (n_tasks,), of, which=" second")

    def _check_state(self, name: str, found: object) -> None:
        named = ", ".join(self._state) or "nothing"
        if not isinstance(found, Mapping) or set(found) != set(self._state):
            told = f"{', '.join(map(str, found))}" if isinstance(found, Mapping) else _told(found)
            raise self._misfit(name, f"return the state by name, of {named}", told)
        for key, value in found.items():
            self._check(name, value, tuple(self._state[key].shape), f"`{key}` of the state")

    def _check(
        self, name: str, found: object, shape: tuple[int, ...], of: str, *, which: str = ""
    ) -> None:
        dtype = self._losses.dtype
        if not isinstance(found, Tensor) or found.shape != shape or found.dtype != dtype:
            rule = f"return{which} a tensor of shape {[*shape]} in {_plain(dtype)} for {of}"
            raise self._misfit(name, rule, _told(found))

    def _misfit(self, name: str, rule: str, found: str) -> BadWeighting:
        return BadWeighting(
            f"`{name}` of the weighting {self._method.title} must {rule}. Got {found}. Correct it, "
            "and hold it against `trainers.testing.WeightingContract`."
        )

    def _rows(self, of_run: Tensor) -> Tensor:
        return of_run.expand([*self._lead, *of_run.shape]).clone()

    def _kept(self, name: str, start: float) -> Tensor:
        shape = state_shape(self._method, name, self._n_tasks, self._n_shared)
        return self._rows(torch.full(shape, float(start)))

    def _per_task(self, start: float) -> Tensor:
        return self._rows(torch.full((self._n_tasks,), float(start)))


def _told(found: object) -> str:
    if isinstance(found, Tensor):
        return f"{[*found.shape]} in {_plain(found.dtype)}"
    return f"a {type(found).__name__}"


def _plain(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
