"""What every loss weighting is: a pure function of the task losses.

Shapes: T tasks, K runs in a pack. ``...`` is empty for one run and ``(K,)`` for a pack.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar, Literal

from trainers import optimizers
from trainers.suggestions import did_you_mean
from trainers.weightings._hyper import Hyper, HyperValue
from trainers.weightings.errors import MissingHyper, MissingPackage, NeedsSolo, UnknownHyper

if TYPE_CHECKING:
    from torch import Tensor

    from trainers.jobs import Engine, Training

Level = Literal["loss", "gradient", "after-step"]
"""What a method weighs a step by."""

EPS = 1e-8
"""Losses are raised to this before a division or a logarithm.

The code of UW-O's first author uses ``1 / (L + 1e-8)``. Both bound a weight by 1e8; raising leaves
every larger loss as it is, so that the formulas hold exactly there.
"""


class Weighting(ABC):
    """A loss-weighting method, without any state of its own: one instance serves all runs.

    Tensors have torch's default dtype, float32, but for losses and their derivatives, which have
    that of the network's losses: float32 as a rule. Formulas are held in float64, too, see
    `trainers.testing`.

    A weighting never imports torch: formulas use the methods of the tensors they are given, so
    that listing weightings is fast.

    Attributes:
        level: ``loss``: by the task losses; ``gradient``: by each task's gradient; ``after-step``:
            by what the step does to the losses. See `trainers.weightings.levels`.
        name: Key in specs and records, e.g. "uw-so"; the file is called alike.
        title: Name in tables and figures, e.g. "UW-SO".
        paper: Where the formula is from, in one line.
        formula: What is minimised, or followed by the trunk, in one line: L losses, g their
            gradients on the trunk, G = <g_j, g_k>, sg without a gradient, d the update.
        also_in: Other libraries that have it.
        hypers: Its hyperparameters.
        noise: It needs fresh standard normal noise ``[..., T]`` every step; at gradient level
            ``[T, T]``.
        fixed: Its loss weights change at epoch ends at most, whatever the losses; so they need not
            be found in every step.
        positive: It assumes that losses are above 0, and becomes something else where one is not
            (a Gaussian negative log-likelihood, say): such losses are counted, and reports name
            the method and the task.
        solo_only: Why its runs are trained one by one, whatever the network, as the end of a
            sentence that the title begins, such as "needs each task's gradient"; empty if they
            can be stacked. Other searches of the study are stacked all the same.
        forward_passes: Passes of a batch through the network that a step takes.
        needs: Packages that it imports when it is used, by the names they are imported by; they
            are of the extra `gradients`.
    """

    level: ClassVar[Level] = "loss"
    name: ClassVar[str]
    title: ClassVar[str]
    paper: ClassVar[str]
    formula: ClassVar[str] = ""
    also_in: ClassVar[tuple[str, ...]] = ()
    hypers: ClassVar[tuple[Hyper, ...]] = ()
    noise: ClassVar[bool] = False
    fixed: ClassVar[bool] = False
    positive: ClassVar[bool] = False
    solo_only: ClassVar[str] = ""
    forward_passes: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ()

    def grad_evals(self, _n_tasks: int, /) -> int:
        """Gradients through the trunk that a step takes, as they are counted in its costs."""
        return 1

    @property
    def cost(self) -> str:
        """What a step takes, in words: "T backward", say."""
        backward = "T backward" if self.grad_evals(2) > 1 else "1 backward"
        passes = self.forward_passes
        return backward if passes == 1 else f"{backward}, {passes} forward"

    def params(self, _hyper: Mapping[str, HyperValue], /) -> Mapping[str, float]:
        """Start values of what is learned beside the network, the same for every task."""
        return {}

    def state(self, _hyper: Mapping[str, HyperValue], /) -> Mapping[str, float]:
        """Start values of what changes at epoch ends only, the same for every task."""
        return {}

    def end_epoch(
        self, state: Mapping[str, Tensor], _mean_losses: Tensor, /
    ) -> Mapping[str, Tensor]:
        """The state for the next epoch.

        Args:
            state: Name to ``[..., T]``; not changed.
            _mean_losses: ``[..., T]``, training losses averaged over the epoch's batches.
        """
        return state

    @abstractmethod
    def objective(
        self,
        losses: Tensor,
        *,
        hyper: Mapping[str, Tensor],
        params: Mapping[str, Tensor],
        state: Mapping[str, Tensor],
        noise: Tensor | None,
    ) -> Tensor:
        """What is minimised: differentiable by the losses and by every learned parameter.

        Its derivatives by the losses are the loss weights, so a weight computed *from* a loss
        must use ``losses.detach()``. A method names the arguments it uses and takes the rest
        as ``**_``.

        Args:
            losses: ``[..., T]``.
            hyper: Name to ``[...]``, or ``[..., T]`` if per task.
            params: Name to ``[..., T]``.
            state: Name to ``[..., T]``.
            noise: ``[..., T]`` standard normal if `noise` is set on the class, else None.

        Returns:
            ``[...]``, one objective a run.
        """

    def refuse_unless_fit(self, engine: Engine, training: Training) -> None:
        """Refuse what a method cannot be trained with.

        Raises:
            UnfitOptimizer: The optimiser cannot be trained with such a method.
            MissingPackage: A package that it needs is not installed here.
            NeedsSolo: It is `solo_only` and runs are stacked; or its level is beyond ``loss``, and
                steps are compiled or shared by several processes.
        """
        self.refuse_unless_installed()
        optimizers.refuse_unless_fit(self.level, training)
        unfit = ['`engine = "fused"`'] if self.solo_only and engine == "fused" else []
        unfit += training.plain_steps_only if self.level != "loss" else []
        if unfit:
            raise NeedsSolo(
                f"{self.title} {self.solo_only}, and is not trained with {unfit[0]}. Drop that, or "
                f"the searches by {self.title}."
            )

    def missing(self) -> list[str]:
        """Packages that it needs, and that are not installed here."""
        return [name for name in self.needs if find_spec(name) is None]

    def refuse_unless_installed(self) -> None:
        """Refuse a method that could not be computed here.

        Raises:
            MissingPackage: A package that it needs is not installed.
        """
        if missing := self.missing():
            raise MissingPackage(
                f"{self.title} needs {' and '.join(self.needs)}. Not installed here: "
                f"{', '.join(missing)}. Install the extra: pip install 'weighbridge[gradients]'"
            )

    def checked(
        self, hyper: Mapping[str, float | Sequence[float]], n_tasks: int
    ) -> dict[str, HyperValue]:
        """Fill in defaults and check every hyperparameter, for `n_tasks` tasks.

        Raises:
            UnknownHyper: A name is not one of this weighting's.
            MissingHyper: One without default is not given.
            BadHyper: A value breaks its rule.
        """
        known = {known.name: known for known in self.hypers}
        for name in hyper:
            if name not in known:
                raise UnknownHyper(
                    f"{self.title} has no hyperparameter `{name}`.{did_you_mean(name, known)} "
                    f"Known: {', '.join(sorted(known)) or 'none'}."
                )
        return {name: self._value(rule, hyper, n_tasks) for name, rule in known.items()}

    def _value(
        self, rule: Hyper, given: Mapping[str, float | Sequence[float]], n_tasks: int
    ) -> HyperValue:
        value = given.get(rule.name, rule.filled(n_tasks))
        if value is None:
            raise MissingHyper(
                f"{self.title} needs a value for `{rule.name}`, which has no default. "
                f"It is the {rule.doc}."
            )
        return rule.checked(value, n_tasks)
