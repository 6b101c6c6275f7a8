"""Reading data sets from files, beside PyTorch's own way: ``python -m benchmarks.loaders``.

Files of the full size in the layouts of their authors are written into a folder; then passes over
them take turns: ours, and a `DataLoader` with as many workers whose dataset reads an item by
`np.load`, or by pillow. Nothing is augmented, nothing trains, and files are in the page cache, so
that what is compared is the way from bytes to batches. Prints a table and, last, one JSON object;
for each set:

- ``ours``, ``theirs``: samples a second, medians of all rounds;
- ``ratio``: ours over theirs, the median of the rounds' ratios; above 1 is faster.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from trainers.problems.celeba import ATTRIBUTES, CelebA
from trainers.problems.cityscapes import Cityscapes
from trainers.problems.nyuv2 import Nyuv2
from trainers.randomness import Key

Item = Callable[[int], dict[str, Tensor]]
"""Reads one sample as one would by hand."""
Pass = Callable[[], int]
"""Goes over all samples once, and says how many there were."""
_ASIDE = 2  # samples that are not trained on, which the problems need


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of samples")
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    figures: dict[str, float] = {}
    for name in chosen.sets:
        with tempfile.TemporaryDirectory() as folder:
            passes = SETS[name](Path(folder), chosen.scale, chosen.workers)
            figures |= {f"{name}_{of}": value for of, value in _compared(passes, chosen).items()}
    for name, value in figures.items():
        print(f"{name:24} {value:10.2f}")
    print(json.dumps({**vars(chosen), **figures}))


def _compared(passes: Mapping[str, Pass], chosen: argparse.Namespace) -> dict[str, float]:
    for once in passes.values():
        once()  # processes start, and files come into the page cache
    rates = [{who: _rate(once) for who, once in passes.items()} for _ in range(chosen.rounds)]
    found = {who: statistics.median(each[who] for each in rates) for who in passes}
    ratio = statistics.median(each["ours"] / each["theirs"] for each in rates)
    return {name: round(value, 2) for name, value in {**found, "ratio": ratio}.items()}


def _rate(once: Pass) -> float:
    began_s = time.perf_counter()
    return once() / (time.perf_counter() - began_s)


def _nyuv2(folder: Path, scale: float, workers: int) -> dict[str, Pass]:
    """288x384 pixels, batches of 8."""
    n, size = int(96 * scale), (288, 384)
    shapes = {"image": (*size, 3), "label": size, "depth": (*size, 1), "normal": (*size, 3)}
    _write_arrays(folder, {kind: (kind, shape) for kind, shape in shapes.items()}, n)
    problem = Nyuv2(
        root=str(folder),
        train_samples=n + _ASIDE,
        validation_samples=_ASIDE,
        test_samples=_ASIDE,
        augment="none",
        loaders=workers,
    )
    return _passes(problem, _loads(folder, [*shapes]), n, 8, workers)


def _cityscapes(folder: Path, scale: float, workers: int) -> dict[str, Pass]:
    """128x256 pixels, batches of 64."""
    n, size = int(512 * scale), (128, 256)
    shapes = {"image": (*size, 3), "label_7": size, "depth": (*size, 1)}
    _write_arrays(folder, {of: (of.split("_")[0], shape) for of, shape in shapes.items()}, n)
    problem = Cityscapes(
        root=str(folder),
        train_samples=n + _ASIDE,
        validation_samples=_ASIDE,
        test_samples=_ASIDE,
        loaders=workers,
    )
    return _passes(problem, _loads(folder, [*shapes]), n, 64, workers)


def _celeba(folder: Path, scale: float, workers: int) -> dict[str, Pass]:
    """Faces of 178x218 pixels to 64x64, batches of 256, forty answers each."""
    n = int(2048 * scale)
    faces, draws = folder / "img_align_celeba", np.random.default_rng(0)
    faces.mkdir()
    names = [f"{number + 1:06d}.jpg" for number in range(n + 2 * _ASIDE)]
    for name in names:
        few = draws.integers(0, 256, (28, 24, 3)).astype("u1")
        Image.fromarray(few).resize((178, 218), Image.Resampling.BICUBIC).save(faces / name)
    answers = np.where(draws.random((len(names), 40)) < 0.3, 1, -1)
    rows = (
        f"{name} {' '.join(map(str, of))}" for name, of in zip(names, answers.tolist(), strict=True)
    )
    (folder / "list_attr_celeba.txt").write_text(
        "\n".join([str(len(names)), " ".join(ATTRIBUTES), *rows, ""])
    )
    (folder / "list_eval_partition.txt").write_text(
        "".join(
            f"{name} {0 if at < n else 1 if at < n + _ASIDE else 2}\n"
            for at, name in enumerate(names)
        )
    )
    labels = torch.from_numpy((answers > 0).astype("f4"))

    def item(number: int) -> dict[str, Tensor]:
        with Image.open(faces / names[number]) as face:
            small = face.convert("RGB").resize((64, 64), Image.Resampling.BILINEAR)
        image = torch.from_numpy(np.array(small)).permute(2, 0, 1).float().div_(255)
        return {"image": image, "labels": labels[number]}

    problem = CelebA(
        root=str(folder),
        train_samples=n,
        validation_samples=_ASIDE,
        test_samples=_ASIDE,
        loaders=workers,
    )
    return _passes(problem, item, n, 256, workers)


SETS = {"nyuv2": _nyuv2, "cityscapes": _cityscapes, "celeba": _celeba}


def _write_arrays(folder: Path, folders: Mapping[str, tuple[str, tuple[int, ...]]], n: int) -> None:
    """Trees as MTAN's authors prepare them, in float32."""
    draws = np.random.default_rng(0)
    for split, samples in (("train", n + _ASIDE), ("val", _ASIDE)):
        for name, (kind, shape) in folders.items():
            where = folder / split / name
            where.mkdir(parents=True)
            for number in range(samples):
                array = draws.random(shape, np.float32)
                if kind == "label":
                    array = np.floor(7 * array)
                if kind == "normal":
                    array /= np.linalg.norm(array, axis=-1, keepdims=True)
                np.save(where / f"{number}.npy", array)


def _loads(folder: Path, kinds: list[str]) -> Item:
    """`np.load` of each array, with channels first: the dataset of MTAN's code."""

    def item(number: int) -> dict[str, Tensor]:
        found = {}
        for kind in kinds:
            array = torch.from_numpy(np.load(folder / "train" / kind / f"{number}.npy"))
            found[kind] = array.permute(2, 0, 1).contiguous() if array.ndim == 3 else array.long()
        return found

    return item


class _Items(Dataset[dict[str, Tensor]]):
    def __init__(self, item: Item, n: int) -> None:
        self._item, self._n = item, n

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        return self._item(number)


def _passes(problem: Any, item: Item, n: int, batch_size: int, workers: int) -> dict[str, Pass]:
    source = problem.sources(torch.device("cpu"))["train"]
    loader = DataLoader(
        _Items(item, n), batch_size, shuffle=True, num_workers=workers, persistent_workers=True
    )
    epochs: Iterator[int] = iter(range(1_000_000))

    def ours() -> int:
        order, key = torch.randperm(source.size), Key("bench") / next(epochs)
        return sum(len(batch.inputs) for batch in source.batches(order, batch_size, key))

    def theirs() -> int:
        return sum(len(batch["image"]) for batch in loader)

    return {"ours": ours, "theirs": theirs}


if __name__ == "__main__":
    main()
