import io
import json
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from trainers.errors import BadExhibit
from trainers.exhibits import Curve, Histogram, Pictures, Table, pack, png

DOT = png(np.zeros((2, 3), dtype=np.uint8))


def histogram(name: str = "scores", **changed: Any) -> Histogram:
    values: dict[str, Any] = {"edges": [0, 0.5, 1], "counts": {"clean": [3, 0], "noisy": [1, 2]}}
    return Histogram(name=name, title="Scores", **(values | changed))


def curve(**changed: Any) -> Curve:
    values: dict[str, Any] = {"points": {"cam": [(0.125, 0.4), (4, 1)]}}
    return Curve("froc", "FROC", "false positives", "sensitivity", **(values | changed))


def test_numbers_of_numpy_become_json() -> None:
    packed = pack(histogram(counts={"clean": np.array([3, 1])}, edges=np.linspace(0, 1, 3)))
    assert json.loads(packed.content) == {
        "edges": [0, 0.5, 1],
        "counts": {"clean": [3, 1]},
        "x_title": "value",
    }


@pytest.mark.parametrize(
    ["exhibit", "kind", "each_epoch"],
    [
        (histogram(), "histogram", True),
        (curve(), "curve", False),
        (Pictures("worst", "Worst", [(DOT, "a 3")]), "pictures", False),
        (Table("hits", "Hits", ["a", "b"], [[1, None], ["x", True]]), "table", False),
    ],
)
def test_histograms_alone_are_kept_of_each_epoch(exhibit: Any, kind: str, each_epoch: bool) -> None:
    packed = pack(exhibit)
    assert (packed.kind, packed.each_epoch) == (kind, each_epoch)
    assert pickle.loads(pickle.dumps(packed)) == packed


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "a name with a slash": (lambda: histogram("a/b"), "a name of letters"),
    "falling edges": (lambda: histogram(edges=[1, 0.5, 0]), "rising edges"),
    "one edge": (lambda: histogram(edges=[1], counts={"a": []}), "rising edges"),
    "an edge that is not finite": (lambda: histogram(edges=[0, 1, math.inf]), "finite numbers"),
    "a bin too few": (lambda: histogram(counts={"clean": [1]}), "a count for each of its 2 bins"),
    "a count below 0": (lambda: histogram(counts={"clean": [1, -1]}), "counts of 0 or more"),
    "no group": (lambda: histogram(counts={}), "1 to 24 labels"),
    "a point of three": (lambda: curve(points={"cam": [(1, 2, 3)]}), "(x, y) for each point"),
    "0 on a log axis": (lambda: curve(points={"a": [(0, 1)]}, x_log=True), "x above 0"),
    "a band of no line": (lambda: curve(intervals={"b": [(1, 0, 1)]}), "lines that it has"),
    "no picture": (lambda: Pictures("p", "P", []), "1 to 24 pictures"),
    "a JPEG": (lambda: Pictures("p", "P", [(b"\xff\xd8\xff", "a")]), "bytes of PNG files"),
    "a large picture": (lambda: Pictures("p", "P", [(DOT + bytes(65536), "a")]), "at most 64 kB"),
    "many pixels": (
        lambda: Pictures("p", "P", [(png(np.zeros((1, 1025))), "a")]),
        "sides of 1 to 1024 pixels",
    ),
    "no caption": (lambda: Pictures("p", "P", [(DOT, " ")]), "a caption of picture 1"),
    "a cell too few": (lambda: Table("t", "T", ["a", "b"], [[1]]), "2 cells in each row"),
    "a cell that is a list": (lambda: pack(Table("t", "T", ["a"], [[[1]]])), "cells that are no"),
    "too many points": (
        lambda: pack(curve(points={"a": [(i / 7, 0.5) for i in range(20_000)]})),
        "at most 256 kB",
    ),
    "another object": (lambda: pack({"edges": []}), "takes a Histogram, Curve"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_what_cannot_be_shown_is_refused(case: str) -> None:
    make, rule = REFUSED[case]
    with pytest.raises(BadExhibit) as raised:
        make()
    assert rule in str(raised.value) and "Got " in str(raised.value)


@given(st.integers(1, 9), st.integers(1, 9), st.booleans(), st.integers(0, 2**32 - 1))
def test_a_png_holds_the_pixels(height: int, width: int, is_grey: bool, seed: int) -> None:
    shape = (height, width) if is_grey else (height, width, 3)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    with Image.open(io.BytesIO(png(pixels))) as image:
        assert np.array_equal(np.asarray(image), pixels)


def test_floats_of_a_picture_are_cut_off_at_0_and_1() -> None:
    pixels = np.array([[-1.0, 0.0, 0.5, 1.0, 7.0, math.nan]])
    with Image.open(io.BytesIO(png(pixels))) as image:
        assert np.asarray(image).tolist() == [[0, 0, 128, 255, 255, 0]]


@pytest.mark.parametrize("shape", [(3,), (3, 4, 4), (0, 4)])
def test_no_picture_has_such_a_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(BadExhibit, match=r"pixels \[H, W\]"):
        png(np.zeros(shape))
