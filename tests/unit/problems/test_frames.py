"""Geometry of stereo frames: depths, normals and classes of surfaces that are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainers.problems import _frames
from trainers.problems._frames import Camera, Floor

CAMERA = Camera(focal=100.0, centre=(20.0, 15.0), offset=5.0, baseline=0.2)
SHAPE = (30, 40)


def of_plane(upwards: tuple[float, float, float], distance: float) -> np.ndarray:
    """Disparities of a plane: all points whose product with `upwards` is -distance."""
    x = (np.arange(SHAPE[1]) - CAMERA.centre[0]) / CAMERA.focal
    y = ((np.arange(SHAPE[0]) - CAMERA.centre[1]) / CAMERA.focal)[:, None]
    a, b, c = upwards
    depth = -distance / (a * x + b * y + c)
    return np.asarray(CAMERA.focal * CAMERA.baseline / depth - CAMERA.offset)


def test_depth_is_focal_length_times_baseline_over_disparity() -> None:
    found = _frames.depths(np.array([[5.0, np.inf, np.nan, -np.inf]]), CAMERA)
    np.testing.assert_array_equal(found, [[2.0, np.nan, np.nan, np.nan]])


def test_a_point_is_where_its_ray_meets_its_depth() -> None:
    x, y, z = _frames.points(np.full(SHAPE, 2.0), CAMERA)
    assert (x[15, 20], y[15, 20], z[15, 20]) == (0, 0, 2)
    assert x[0, 30] == pytest.approx(0.2)
    assert y[25, 0] == pytest.approx(0.2)


@given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_the_normal_of_a_plane_is_its_own_and_looks_at_the_camera(tilt: float, lean: float) -> None:
    upwards = np.array([tilt, lean, -1.0])
    upwards /= np.linalg.norm(upwards)
    a, b, c = upwards.tolist()
    found = _frames.normals(of_plane((a, b, c), 2.0), CAMERA)
    inside = found[:, 8:-8, 8:-8]  # at the border there is less to smooth
    assert np.abs(inside - upwards[:, None, None]).max() < 0.02


def test_where_there_is_no_disparity_there_is_no_normal() -> None:
    disparities = of_plane((0.0, 0.0, -1.0), 2.0)
    disparities[3:6, 4] = np.inf
    found = _frames.normals(disparities, CAMERA)
    length = np.linalg.norm(found, axis=0)
    assert (length[3:6, 4] == 0).all()
    assert np.abs(np.delete(length, [3, 4, 5], axis=0) - 1).max() < 1e-6


def test_a_frame_without_any_disparity_has_neither_normals_nor_classes() -> None:
    nothing = np.full(SHAPE, np.nan)
    assert not _frames.normals(nothing, CAMERA).any()
    floor = Floor(upwards=(0.0, -1.0, 0.0), distance=1.0, height=0.1, near=3.0)
    found = _frames.classes(_frames.depths(nothing, CAMERA), CAMERA, floor)
    assert (found == _frames.UNKNOWN).all()


def test_medians_are_those_of_what_is_known() -> None:
    draws = np.random.default_rng(0)
    disparities = draws.uniform(1, 9, (9, 11))
    disparities[draws.random((9, 11)) < 0.5] = np.nan
    padded = np.pad(disparities, 2, constant_values=np.nan)
    expected = [[np.nanmedian(padded[y : y + 5, x : x + 5]) for x in range(11)] for y in range(9)]
    np.testing.assert_array_equal(_frames._medians(disparities), expected)


def test_classes_go_by_height_then_by_depth() -> None:
    depth = np.array([[2.0, 2.0, 4.0, np.nan]])
    camera = Camera(focal=1.0, centre=(0.0, -0.5), offset=0.0, baseline=1.0)  # rays lean down
    at = {1.0: _frames.FLOOR, 1.2: _frames.OBJECT}
    for distance, expected in at.items():
        floor = Floor(upwards=(0.0, -1.0, 0.0), distance=distance, height=0.1, near=3.0)
        found = _frames.classes(depth, camera, floor)
        assert found[0, 0] == expected
        assert found[0, 3] == _frames.UNKNOWN
    far = Floor(upwards=(0.0, -1.0, 0.0), distance=5.0, height=0.1, near=3.0)
    assert _frames.classes(depth, camera, far)[0, 2] == _frames.BACKGROUND


def test_tiles_lie_row_by_row_within_their_columns() -> None:
    scene = {"label": np.arange(10 * 12).reshape(10, 12), "image": np.zeros((3, 10, 12))}
    found = _frames.tiles(scene, (2, 11), side=4, stride=3)
    assert found["image"].shape == (6, 3, 4, 4)
    assert found["label"][:, 0, 0].tolist() == [2, 5, 38, 41, 74, 77]
    np.testing.assert_array_equal(found["label"][3], scene["label"][3:7, 5:9])


def test_a_mirrored_normal_points_to_the_other_side() -> None:
    arrays = {"normal": np.arange(24.0).reshape(2, 3, 2, 2), "label": np.arange(8).reshape(2, 2, 2)}
    once = _frames.mirrored(arrays)
    assert once["label"].tolist() == [[[1, 0], [3, 2]], [[5, 4], [7, 6]]]
    np.testing.assert_array_equal(once["normal"][:, 0], -arrays["normal"][:, 0, :, ::-1])
    np.testing.assert_array_equal(once["normal"][:, 1:], arrays["normal"][:, 1:, :, ::-1])
    for name, array in _frames.mirrored(once).items():
        np.testing.assert_array_equal(array, arrays[name])
