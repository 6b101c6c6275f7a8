"""Weights that somebody has trained before, for a trunk to begin from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from trainers.problems.errors import DataMissing, WeightsUnfit

_CLASSIFIER = ("fc.",)
"""What names of parameters begin with that a trunk has no use for."""
_COUNTS = ".num_batches_tracked"
"""What older files lack; it is of no use to a network."""


def begin_from(trunk: nn.Module, path: str, title: str) -> None:
    """Let a trunk begin from a file with a ``state_dict`` of the whole network.

    Args:
        title: Of the network, for messages.

    Raises:
        DataMissing: There is no such file.
        WeightsUnfit: It holds no weights, or not those of this network.
    """
    found = _read(path)
    own = trunk.state_dict()
    theirs = {name: of for name, of in found.items() if not name.startswith(_CLASSIFIER)}
    missing = [name for name in own if name not in theirs and not name.endswith(_COUNTS)]
    more = [name for name in theirs if name not in own]
    others = [n for n, of in theirs.items() if n in own and own[n].shape != of.shape]
    wrong = [
        *([f"lacks {_named(missing)}"] if missing else []),
        *([f"has {_named(more)}, which that has not"] if more else []),
        *([f"has {_shapes(others[0], theirs, own)}"] if others else []),
    ]
    if wrong:
        raise WeightsUnfit(
            f"`pretrained` must be the weights of {title}. {path} {'; '.join(wrong)}. Take the "
            "file of that network, or set `network`, `layers` and `width` to the file's."
        )
    trunk.load_state_dict(theirs, strict=False)


def _read(path: str) -> dict[str, Tensor]:
    file = Path(path).expanduser()
    try:
        found: Any = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise DataMissing(
            f"`pretrained` must name a file on each machine that trains. {path} is not there. "
            "Copy it, and give the whole path."
        ) from error
    except Exception as error:  # torch raises whatever a broken file brings about
        raise WeightsUnfit(
            f"`pretrained` must be a file that `torch.save` has written. {path} cannot be read: "
            f"{(str(error) or 'it is empty').splitlines()[0]}. Download it again."
        ) from error
    if not isinstance(found, dict) or not all(isinstance(of, Tensor) for of in found.values()):
        raise WeightsUnfit(
            f"`pretrained` must hold a `state_dict`: names and tensors, no more. {path} holds "
            f"{_told(found)}. Save `network.state_dict()` alone."
        )
    if infinite := [name for name, of in found.items() if not of.isfinite().all()]:
        raise WeightsUnfit(
            f"`pretrained` must hold finite numbers. {path} has NaN or infinity in "
            f"{_named(infinite)}. Take the file of a training that has not diverged."
        )
    return found


def _told(found: Any) -> str:
    if isinstance(found, dict):
        other = next(name for name, of in found.items() if not isinstance(of, Tensor))
        return f"a {type(found[other]).__name__} under {other!r}"
    return f"a {type(found).__name__}"


def _named(names: Iterable[str]) -> str:
    first, *others = names
    return f"{first} and {len(others)} more" if others else first


def _shapes(name: str, theirs: dict[str, Tensor], own: dict[str, Tensor]) -> str:
    return f"{[*theirs[name].shape]} for {name}, where it has {[*own[name].shape]}"
