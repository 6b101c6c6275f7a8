"""Combinations that a solver finds: a tiny problem of T numbers, on the CPU and in float64.

Shapes: T tasks.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from math import nan
from typing import TYPE_CHECKING, Any, ClassVar

from trainers.weightings.errors import Unsolved
from trainers.weightings.levels import GramianWeighting

if TYPE_CHECKING:
    from torch import Tensor


class SolvedWeighting(GramianWeighting):
    """A Gramian method whose coefficients a solver finds, or the run fails and says so.

    The solver is given the Gramian divided by its mean diagonal: solvers compare with absolute
    tolerances, below which some peers take a small gradient for none without a word. Where a
    gradient is not finite, neither is the update, and the run diverges as by any other method.
    """

    @abstractmethod
    def solved(self, gramian: Tensor, size: float, hyper: Mapping[str, float]) -> Tensor:
        """Coefficients ``[T]``.

        Args:
            gramian: ``[T, T]``, float64 on the CPU, of mean diagonal 1.
            size: By which it was divided; what does not see the unit of losses ignores it.
            hyper: Name to number.
        """

    def combination(self, gramian: Tensor, *, hyper: Mapping[str, Tensor], **_: object) -> Tensor:
        """Coefficients ``[T]``; all 0 where no task has a gradient.

        Raises:
            Unsolved: The solver failed, or found what is not finite.
        """
        inner = gramian.detach().cpu().double()
        size = float(inner.diagonal().mean())
        if not inner.isfinite().all():
            return gramian.new_full((len(gramian),), nan)
        if size == 0.0:
            return gramian.new_zeros(len(gramian))
        numbers = {name: float(value) for name, value in hyper.items() if value.ndim == 0}
        try:
            found = self.solved(inner / size, size, numbers)
        except Exception as error:  # whatever a solver raises
            raise self._unsolved(inner, f"{type(error).__name__}: {error}") from error
        if not found.isfinite().all():
            raise self._unsolved(inner, f"it found {found.tolist()}")
        return found.to(gramian)

    def _unsolved(self, gramian: Tensor, why: str) -> Unsolved:
        return Unsolved(
            f"{self.title} must find how to combine the tasks' gradients in every step. It did not "
            f"for the inner products {gramian.tolist()}: {why}. Lower the learning rate, or take "
            "another weighting."
        )


class TorchJDWeighting(SolvedWeighting):
    """A method whose solver is TorchJD's."""

    needs: ClassVar[tuple[str, ...]] = ("torchjd",)
    peer: ClassVar[str]
    """Name of the class in `torchjd.aggregation`."""

    def solved(self, gramian: Tensor, _size: float, hyper: Mapping[str, float]) -> Tensor:
        """Coefficients ``[T]``, which do not see the unit of the losses."""
        from torchjd import aggregation

        found: Tensor = getattr(aggregation, self.peer)(**self.options(hyper))(gramian)
        return found

    def options(self, hyper: Mapping[str, float]) -> Mapping[str, Any]:
        """Arguments of the peer."""
        return hyper
