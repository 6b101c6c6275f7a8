"""Loss scaling: keeps gradients in half precision above what it rounds to 0.

Losses are multiplied by a factor before they are differentiated, and gradients divided by it before
anybody looks at them: weightings see true losses, methods, clipping and optimiser true gradients.

Micikevicius et al., "Mixed Precision Training" (ICLR 2018), with the numbers of `torch.amp`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from trainers.jobs import Precision

_FIRST = 2.0**16
_LEAST = 2.0**-24
_GROWTH_STEPS = 2_000


class LossScale:
    """The factor of one run, halved at every overflow and doubled after 2,000 steps without one.

    It is a power of two, so that it changes no digit of a gradient that overflows nowhere.

    Attributes:
        factor: 1 where nothing is scaled.
        overflowed: Whether the last gradients did.
        n_skipped: Steps since somebody has set it to 0 that were not taken, as they overflowed.
    """

    def __init__(self, precision: Precision) -> None:
        self._scales = precision == "float16"
        self.factor = _FIRST if self._scales else 1.0
        self.overflowed, self.n_skipped, self._n_good = False, 0, 0

    def scaled(self, loss: Tensor) -> Tensor:
        """What is to be differentiated in the place of a loss ``[...]``."""
        return loss * self.factor if self._scales else loss

    def take_out(self, gradients: Sequence[Tensor]) -> bool:
        """Divide all gradients ``[...]`` of a step by the factor, in place.

        Returns:
            Whether the step can be taken: no gradient has overflowed. The factor then is another.
        """
        if not self._scales or not gradients:
            return True
        with torch.no_grad():
            torch._foreach_mul_(list(gradients), 1 / self.factor)
            finite = torch.stack([of.isfinite().all() for of in gradients]).all()
        self.overflowed = not bool(finite)
        if self.overflowed:
            self.factor, self._n_good = max(self.factor / 2, _LEAST), 0
            self.n_skipped += 1
            return False
        self._n_good += 1
        if self._n_good == _GROWTH_STEPS:
            self.factor, self._n_good = self.factor * 2, 0
        return True

    def state(self) -> dict[str, Any]:
        """What a run goes on from; empty where nothing is scaled."""
        scale = {"factor": self.factor, "n_good": self._n_good}
        return {"loss_scale": scale} if self._scales else {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from the state of a run; raises whatever one of another precision brings about."""
        if self._scales:
            scale = state["loss_scale"]
            self.factor, self._n_good = float(scale["factor"]), int(scale["n_good"])
