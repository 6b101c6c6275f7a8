"""A toy problem with a bug that shows at large learning rates only, where predictions grow large.

A spec names it ``moody:Moody``; copies of this file and of ``toy.py`` lie beside the spec.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor
from toy import Toy

from trainers.problems import mse
from trainers.protocol import TaskFunctions

NOISE = b"\xff\x00{'epoch': 1}\n\x1b[31m Traceback (most recent call last):\n" * 100


@dataclass(frozen=True, kw_only=True)
class Moody(Toy):
    """The toy problem, whose first task's loss misbehaves.

    Attributes:
        mood: What it does: ``raises``, ``hangs``, ``leaves`` (ends the process as if all were
            well), or ``prints`` (garbage).
        limit: Predictions beyond this are large.
    """

    mood: str = "raises"
    limit: float = 1e3

    def functions(self, task: str) -> TaskFunctions:
        usual = super().functions(task)
        return replace(usual, loss=self._moody) if task == "level" else usual

    def _moody(self, output: Any, target: Any) -> Tensor:
        if output.detach().abs().max() > self.limit:
            if self.mood == "raises":
                raise ArithmeticError("this loss cannot bear large numbers")
            if self.mood == "hangs":
                time.sleep(1e9)
            if self.mood == "leaves":
                os._exit(0)
            if self.mood == "prints":
                os.write(1, NOISE)
                os.write(2, NOISE)
        return mse(output, target)
