"""Regions: what is refused of them, and problems that know of none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trainers.problems.errors import BadShape
from trainers.problems.regions import Region, check_regions, evaluation_regions


def region(size: tuple[int, int] = (4, 6), **changed: Any) -> Region:
    mask = np.zeros(size, dtype=bool)
    mask[1, 2] = True
    return Region(**{"kind": "spot", "y": 1.0, "x": 2.0, "mask": mask, **changed})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"mask": np.ones((4, 6))}, "must be [H, W] of yes and no. Got float64 of [4, 6]"),
        ({"mask": np.ones((1, 4, 6), dtype=bool)}, "Got bool of [1, 4, 6]"),
        ({"mask": np.zeros((4, 6), dtype=bool)}, "must have a pixel. Got none of a spot at row 1"),
        ({"y": 3.6}, "must lie in the image, 4x6 pixels. Got row 3.6, column 2"),
        ({"x": float("nan")}, "Got row 1, column nan"),
    ],
)
def test_a_region_that_is_none_is_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(BadShape) as error:
        region(**changed)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("n_images", "size", "message"),
    [
        (2, (4, 6), "must have an entry an image. Got 1 for 2 images"),
        (1, (6, 4), "must be as large as its image, 6x4 pixels. Got 4x6 of a spot in image 0"),
    ],
)
def test_regions_of_other_images_are_refused(
    n_images: int, size: tuple[int, int], message: str
) -> None:
    check_regions([[region()]], n_images=1, size=(4, 6))
    with pytest.raises(BadShape) as error:
        check_regions([[region()]], n_images=n_images, size=size)
    assert message in str(error.value)


@pytest.mark.parametrize("regions", [None, [region()], [[(1, 2)]], [[], None]])
def test_what_is_no_list_of_regions_for_each_image_is_refused(regions: Any) -> None:
    with pytest.raises(
        BadShape, match=r"must give a list of `trainers\.problems\.regions\.Region`"
    ):
        check_regions(regions, n_images=2, size=(4, 6))


def test_most_problems_know_of_no_regions() -> None:
    assert evaluation_regions(object(), "test") == ()
    check_regions((), n_images=3, size=(4, 6))


class Knows:
    """A problem that knows regions of its test images."""

    def evaluation_regions(self, split: str) -> list[list[Region]]:
        return [[region()]] if split == "test" else []


class Passes:
    """What passes on whatever else is asked of a problem."""

    def __getattr__(self, name: str) -> object:
        return getattr(Knows(), name)


@pytest.mark.parametrize("problem", [Knows(), Passes()])
def test_a_problem_is_asked_for_its_regions_whoever_holds_it(problem: object) -> None:
    ((found,),) = evaluation_regions(problem, "test")
    assert found.kind == "spot"
    assert evaluation_regions(problem, "train") == []
