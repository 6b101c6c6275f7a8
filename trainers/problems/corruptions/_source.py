"""A split whose images are corrupted; its targets stay.

Shapes: N samples of a split, B batch, C channels, 1 or 3, H and W height and width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trainers.jobs import Corruptions
from trainers.problems._numbered import WrappedSource
from trainers.problems.corruptions._images import Image, corrupt_all
from trainers.problems.errors import BadShape
from trainers.protocol import Batch, Source
from trainers.randomness import Key

Way = tuple[str, int]
"""Kind and severity."""
_AT_ONCE = 256
_MOST_HELD_BYTES = 2**28


class CorruptedSource(WrappedSource):
    """Samples whose images ``[B, C, H, W]`` of 0 to 1 are corrupted, each in its way.

    Args:
        source: With clean images.
        way: Of each row of the split.
        held: Whether all are corrupted once and kept in memory, where they fit; else in each pass.
        cache: Folder that keeps what was corrupted; None to do without.
    """

    def __init__(
        self, source: Source, way: Callable[[int], Way], *, held: bool, cache: Path | None
    ) -> None:
        super().__init__(source)
        self._way, self._cache = way, cache
        self._held = held and not self.streamed
        self._whole: Tensor | None = None

    def batches(self, order: Tensor | None, batch_size: int, key: Key) -> Iterator[Batch]:
        """The source's batches with corrupted images ``[B, C, H, W]``, in an order ``[N]`` or none.

        Raises:
            BadShape: Inputs are no images.
        """
        cache = self._cache if order is None else None  # no other order comes again
        for batch, rows in self.numbered(order, batch_size, key):
            yield Batch(self._inputs(batch.inputs, rows, cache), batch.targets)

    def _inputs(self, clean: Any, rows: Tensor, cache: Path | None) -> Tensor:
        if self._held and self._whole is None:
            self._held = self._fits(clean)
        if not self._held:
            return _floats(self._corrupted(clean, rows, cache), clean)
        if self._whole is None:
            everything = self.numbered(None, _AT_ONCE, Key("corruption"))
            self._whole = torch.cat(
                [self._corrupted(of.inputs, at, self._cache) for of, at in everything]
            )
        return _floats(self._whole[rows], clean)

    def _fits(self, clean: Any) -> bool:
        """Whether all samples can be kept; a batch that is no tensor is refused later."""
        return not isinstance(clean, Tensor) or self.size * clean[0].numel() <= _MOST_HELD_BYTES

    def _corrupted(self, clean: Any, rows: Tensor, cache: Path | None) -> Tensor:
        """Corrupted images ``[B, C, H, W]``, 0 to 255."""
        numbers = rows.tolist()
        found = corrupt_all(
            _bytes(clean), numbers, [self._way(row) for row in numbers], cache=cache
        )
        return torch.from_numpy(found).permute(0, 3, 1, 2).contiguous()


def drawn(corruptions: Corruptions, key: Key) -> Callable[[int], Way]:
    """Kind and severity of each row, drawn with equal odds."""

    def way(row: int) -> Way:
        kinds, severities = corruptions.kinds, corruptions.severities
        kind = kinds[(key / "kind" / row).seed % len(kinds)]
        return kind, severities[(key / "severity" / row).seed % len(severities)]

    return way


def always(kind: str, severity: int) -> Callable[[int], Way]:
    """The same way for each row."""
    return lambda _row: (kind, severity)


def _bytes(inputs: Any) -> Image:
    """Inputs as images ``[B, H, W, C]``, 0 to 255.

    Raises:
        BadShape: They are none.
    """
    is_tensor = isinstance(inputs, Tensor)
    if not is_tensor or inputs.ndim != 4 or inputs.shape[1] not in (1, 3):
        shape: Sequence[int] | str = list(inputs.shape) if is_tensor else type(inputs).__name__
        raise BadShape(
            "Images that are corrupted are a tensor [B, C, H, W] of one or three channels. Got "
            f"{shape}. Drop [[followup]], or `images` from the problem's card."
        )
    low, high = (float(end) for end in torch.aminmax(inputs))
    if not (inputs.is_floating_point() and low >= 0 and high <= 1):
        raise BadShape(
            f"Images that are corrupted are floats from 0 to 1. Got {inputs.dtype} from {low:g} to "
            f"{high:g}. Let the trunk scale them, or drop [[followup]]."
        )
    scaled = (inputs.detach().to("cpu", torch.float32) * 255).round().to(torch.uint8)
    return np.ascontiguousarray(scaled.permute(0, 2, 3, 1).numpy())


def _floats(images: Tensor, like: Tensor) -> Tensor:
    """Images ``[B, C, H, W]`` of 0 to 255 as 0 to 1, where and how the clean ones are."""
    return images.to(like.device).to(like.dtype) / 255
