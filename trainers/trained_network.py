"""A run's network as its user gets it: parameters, and all that is needed to build and judge it.

Torch is imported when a network is built, read or written.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from zipfile import is_zipfile

from trainers.errors import FolderMissing, NetworkUnreadable, NotReplaced
from trainers.jobs import ProblemRef
from trainers.keeping import paths
from trainers.suggestions import shown

if TYPE_CHECKING:
    from torch import Tensor

    from trainers.network import MultiTaskNetwork

FORMAT = 1
"""Of files; raised when what is in them changes its meaning."""


def place_for(path: str | Path) -> Path:
    """Where a network is written to, links followed; asked before one is trained for it.

    Raises:
        FolderMissing: Its folder does not exist.
        NotReplaced: Something else than a network lies there: a folder, a device, a database.
    """
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        folder = target.parent if os.path.islink(path) else Path(path).parent
        raise FolderMissing(
            f"A network is written into a folder that exists. Got {folder}. Create it first."
        )
    if target.exists() and not (target.is_file() and is_zipfile(target)):  # as torch writes them
        raise NotReplaced(
            f"A network replaces nothing but the file of another one. Got {path}, which is "
            "something else. Name another file."
        )
    return target


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainedNetwork:
    """A run's network as it was after its selected epoch.

    Attributes:
        state_dict: Parameters and buffers on the CPU, by the names that `build`'s network has:
            ``trunk.`` and the trunk's own, ``heads.TASK.`` and the head's own.
        outside: What the network keeps that no ``state_dict`` holds, by place; mostly empty.
        problem: Where the problem comes from, with its options: the arguments of the network.
        tasks: Tasks with a head; one for a single-task network.
        card: The problem's card as plain values.
        study: Name of the study.
        search: Name of the search.
        trial: Number of the trial in its search.
        run: Number of the run in the study's database.
        weighting: Name of the loss weighting; ``stl`` for a single-task network.
        params: The trial's parameters.
        seed: Of the run.
        epoch: The selected epoch, counted from 1.
        precision: In which its operations ran in training and evaluation; parameters are float32.
        metrics: Split to task to metric to value after that epoch, losses among them.
        version: Of weighbridge, which took it out of the study.
    """

    state_dict: Mapping[str, Tensor] = field(repr=False)
    outside: Mapping[str, Any] = field(repr=False)
    problem: ProblemRef
    tasks: tuple[str, ...]
    card: Mapping[str, Any] = field(repr=False)
    study: str
    search: str
    trial: int
    run: int
    weighting: str
    params: Mapping[str, Any]
    seed: int
    epoch: int
    precision: str
    metrics: Mapping[str, Mapping[str, Mapping[str, float]]]
    version: str

    def build(self) -> MultiTaskNetwork:
        """The network on the CPU, ready to evaluate: inputs to a dict of outputs by task.

        Raises:
            ProblemError: The problem cannot be made any more.
            NetworkUnreadable: Its network is not the one that was trained.
        """
        from trainers.engines.fused.forward import task_functions
        from trainers.engines.looking.outside import Outside
        from trainers.network import build_network
        from trainers.problems import build
        from trainers.randomness import Key

        problem = build(self.problem)
        network = build_network(problem, self.tasks, Key("trained"))
        try:
            network.load_state_dict(self.state_dict)
        except RuntimeError as error:
            raise NetworkUnreadable(
                f"The network of {self.problem.target} must be the one that was trained. "
                f"{' '.join(str(error).split())} Take the code and the options of then."
            ) from error
        if self.outside:
            Outside(network, task_functions(problem, self.tasks)).restore(self.outside)
        return network.eval()

    def save(self, path: str | Path) -> int:
        """Write a file that ``torch.load(path, weights_only=True)`` reads; returns its size.

        It holds a dict of plain values and tensors, with this class's attributes as keys.

        Raises:
            FolderMissing: Its folder does not exist.
            NotReplaced: Something else than a file of `save` lies there.
            OSError: The disk is full or the folder not writable.
        """
        import io

        import torch

        target = place_for(path)
        buffer = io.BytesIO()
        plain = {own.name: getattr(self, own.name) for own in fields(self)}
        problem = {"target": self.problem.target, "options": dict(self.problem.options)}
        torch.save({**plain, "problem": problem, "format": FORMAT}, buffer)
        paths.put(str(target), buffer.getvalue())
        return buffer.getbuffer().nbytes

    @classmethod
    def load(cls, path: str | Path, *, folder: str | None = None) -> Self:
        """Read a file that `save` has written.

        Args:
            folder: Where the module of a user's own problem lies, if Python does not find it.

        Raises:
            NetworkUnreadable: It is none, or there is none.
        """
        import torch

        try:
            with Path(path).open("rb"):
                pass
            found = torch.load(path, map_location="cpu", weights_only=True)
        except OSError as error:
            raise _unreadable(path, f": {error.strerror or error}") from error
        except Exception as error:  # what is no such file makes the unpickler stumble in any way
            raise _unreadable(path, ", of which torch reads no plain values and tensors") from error
        if not isinstance(found, dict) or "format" not in found:
            raise _unreadable(path, f", which holds {_described(found)}")
        number = found.pop("format")
        if not (isinstance(number, int) and number == FORMAT):
            raise _unreadable(
                path,
                f" in format {shown(number)}, of another version of weighbridge; this one reads "
                f"{FORMAT}",
            )
        try:
            return cls(**{**found, "problem": ProblemRef(**found["problem"], folder=folder)})
        except (LookupError, TypeError) as error:
            raise _unreadable(path, f", which lacks a part or has another: {error}") from error


def _unreadable(path: str | Path, what: str) -> NetworkUnreadable:
    return NetworkUnreadable(
        f"A trained network is a file that `weighbridge network` or `TrainedNetwork.save` has "
        f"written. Got {path}{what}. Write it anew with `weighbridge network`."
    )


def _described(found: object) -> str:
    """What torch has read of a file that is none of ours."""
    from torch import Tensor

    if isinstance(found, dict) and found and all(isinstance(v, Tensor) for v in found.values()):
        return "parameters alone, a `state_dict`"
    return f"a {type(found).__name__}"
