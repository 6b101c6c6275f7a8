"""From a file of yeast genes to tensors: functional classes, their split, what the network sees.

Shapes: G genes of the file, N genes of a split, F inputs.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from trainers.problems._source import TensorSource
from trainers.problems._stratified import stratified_rows
from trainers.randomness import Key

if TYPE_CHECKING:
    from trainers.problems._embedded import Arrays

N_INPUTS: Final = 103
_SPREAD: Final = 0.1  # of all inputs: a gene's whole row has length 1


def genes(content: bytes) -> Arrays:
    """``inputs [G, F]`` as float64 and ``labels [G, T]`` as bool, of a gzipped CSV."""
    rows = csv.reader(io.StringIO(gzip.decompress(content).decode()))
    next(rows)
    table = [*rows]
    return {
        "inputs": np.array([row[:N_INPUTS] for row in table], np.float64),
        "labels": np.array([[text == "1" for text in row[N_INPUTS:]] for row in table]),
    }


def gene_sources(
    columns: Arrays, *, sizes: Mapping[str, int], split_seed: int, device: torch.device
) -> dict[str, TensorSource]:
    """Split, scale, and move to the device: inputs ``[N, F]`` and targets ``[N]`` of 0 and 1."""
    labels = columns["labels"]
    rows = stratified_rows(labels, sizes, Key(f"split-{split_seed}") / "genes")
    found = {}
    for split, chosen in rows.items():
        inputs = torch.from_numpy(columns["inputs"][chosen] / _SPREAD)
        of_split = torch.from_numpy(labels[chosen]).to(device, torch.float32)
        found[split] = TensorSource(
            inputs=inputs.to(device, torch.float32),
            targets={
                f"class{number}": of_split[:, number - 1].contiguous()
                for number in range(1, labels.shape[1] + 1)
            },
        )
    return found
