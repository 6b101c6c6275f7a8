"""From a file of digits to tensors of digit pairs.

Shapes: D digits of side d, N pairs of side h.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch

from trainers.problems._draws import PairRows, Rows, draw_pairs
from trainers.problems._pairs import Images, Layout, compose
from trainers.problems._source import TensorSource

if TYPE_CHECKING:
    from trainers.problems._embedded import Arrays


def digit_parser(side: int) -> Callable[[bytes], Arrays]:
    """A function from a gzipped CSV to ``images [D, d, d]`` and ``labels [D]``."""

    def parse(content: bytes) -> Arrays:
        text = io.BytesIO(gzip.decompress(content))
        table = np.loadtxt(text, delimiter=",", dtype=np.uint8)
        return {"images": table[:, :-1].reshape(-1, side, side), "labels": table[:, -1]}

    return parse


def pair_sources(
    arrays: Arrays,
    *,
    n_pairs: Mapping[str, int],
    split_seed: int,
    layout: Layout,
    device: torch.device,
) -> dict[str, TensorSource]:
    """Split, pair, compose, and move to the device."""
    labels = arrays["labels"].astype(np.int64)
    return {
        split: _source(compose(arrays["images"], rows, layout), labels, rows, device)
        for split, rows in draw_pairs(labels, n_pairs, split_seed).items()
    }


def _source(pairs: Images, labels: Rows, rows: PairRows, device: torch.device) -> TensorSource:
    left = torch.from_numpy(labels[rows.left]).to(device)
    right = torch.from_numpy(labels[rows.right]).to(device)
    images = torch.from_numpy(pairs).to(device)
    return TensorSource(
        inputs=images[:, None].to(torch.float32) / 255,
        targets={"left": left, "right": right, "sum": (left + right).to(torch.float32)},
    )
