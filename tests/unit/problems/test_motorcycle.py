"""Motorcycle: what the frame shows, how it is cut, what the network sees of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.wanting import skip_for_want_of
from trainers.problems import _frames
from trainers.problems._embedded import cache_folder, load_all
from trainers.problems._scenes import FLOOR, MOTORCYCLE, aloe, motorcycle, picture
from trainers.problems._source import TensorSource
from trainers.problems.errors import BadOption, DataChanged, MissingPackage, UnknownTask
from trainers.problems.motorcycle import (
    ALOE_FILES,
    ALOE_SIZE,
    COLUMNS,
    FILES,
    SIDES,
    Motorcycle,
)
from trainers.protocol import Problem
from trainers.testing import ProblemContract

CPU = torch.device("cpu")
SMALL = Motorcycle(side=32, stride=64, mirrored=False, width=2, layers=1)


@pytest.fixture(scope="module")
def sources() -> Iterator[dict[str, TensorSource]]:
    yield Motorcycle().sources(CPU)


@pytest.fixture(scope="module")
def scene() -> Iterator[dict[str, np.ndarray]]:
    yield load_all(FILES, motorcycle, cache=cache_folder())


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self) -> Problem:
        return SMALL


def test_same_options_give_the_same_bytes(sources: dict[str, TensorSource]) -> None:
    digest = sha256()
    for split, source in sources.items():
        digest.update(split.encode())
        digest.update(source.inputs.numpy().tobytes())
        for task in ("segmentation", "depth", "normal"):
            digest.update(source.targets[task].numpy().tobytes())
    assert digest.hexdigest()[:16] == "c27ec4f7b165c611"


def test_tiles_are_as_many_as_the_card_says_whatever_the_stride() -> None:
    for problem in (Motorcycle(), SMALL):
        sizes = {split: source.size for split, source in problem.sources(CPU).items()}
        assert problem.card.sizes == sizes
    whole = Motorcycle(stride=64, mirrored=False).card
    assert whole.sizes["train"] == whole.distinct["train"] == 35


def test_between_splits_lies_more_than_a_tile() -> None:
    edges = sorted(COLUMNS.values())
    assert all(after[0] - before[1] > max(SIDES) for before, after in pairwise(edges))


def test_depths_are_those_of_the_measured_scene(scene: dict[str, np.ndarray]) -> None:
    depth = scene["depth"]
    measured = depth[np.isfinite(depth)]
    assert len(measured) / depth.size == pytest.approx(0.927, abs=0.001)
    assert (measured.min(), measured.max()) == pytest.approx((2.11, 5.02), abs=0.01)
    assert np.median(measured) == pytest.approx(2.75, abs=0.01)


def test_each_class_has_a_fair_share_of_every_split(sources: dict[str, TensorSource]) -> None:
    for source in sources.values():
        label = source.targets["segmentation"]
        shares = torch.bincount(label[label >= 0], minlength=3) / (label >= 0).sum()
        assert ((shares > 0.1) & (shares < 0.7)).all(), shares


def test_classes_are_known_where_depth_is(scene: dict[str, np.ndarray]) -> None:
    np.testing.assert_array_equal(scene["label"] >= 0, np.isfinite(scene["depth"][0]))


def test_the_floor_is_the_plane_that_most_points_lie_on(scene: dict[str, np.ndarray]) -> None:
    """Of planes through three points at random, the best one is near it."""
    places = _frames.points(scene["depth"][0].astype(np.float64), MOTORCYCLE)
    places = places[:, ::8, ::8].reshape(3, -1)
    places = places[:, np.isfinite(places[2])]
    draws, best = np.random.default_rng(0), (0, np.zeros(3), 0.0)
    for _ in range(300):
        first, second, third = places[:, draws.choice(places.shape[1], 3, replace=False)].T
        normal = np.cross(second - first, third - first)
        normal /= np.linalg.norm(normal)
        distance = -float(normal @ first)
        n_near = int((np.abs(normal @ places + distance) < 0.015).sum())
        if n_near > best[0]:
            best = n_near, normal * np.sign(distance), abs(distance)
    upwards = np.array(FLOOR.upwards)
    assert np.linalg.norm(upwards) == pytest.approx(1, abs=1e-4)
    assert np.degrees(np.arccos(best[1] @ upwards)) < 2
    assert best[2] == pytest.approx(FLOOR.distance, abs=0.05)
    on_it = np.abs(upwards @ places + FLOOR.distance) < 0.015
    assert on_it.sum() >= best[0]


def test_normals_have_length_one_and_look_at_the_camera(scene: dict[str, np.ndarray]) -> None:
    normal = scene["normal"].astype(np.float64)
    length = np.linalg.norm(normal, axis=0)
    known = length > 0
    assert np.abs(length[known] - 1).max() < 1e-6
    assert known.mean() > 0.92
    rays = _frames.points(np.ones(known.shape), MOTORCYCLE)
    assert ((normal * rays).sum(axis=0)[known] < 0.05).mean() > 0.999
    upwards = np.array(FLOOR.upwards)
    on_floor = (scene["label"] == _frames.FLOOR) & known
    angles = np.degrees(np.arccos(np.clip(upwards @ normal[:, on_floor], -1, 1)))
    assert np.median(angles) < 10


def test_the_second_half_of_training_tiles_is_the_first_one_mirrored(
    sources: dict[str, TensorSource],
) -> None:
    train = sources["train"]
    half = train.size // 2
    assert torch.equal(train.inputs[half:], train.inputs[:half].flip(-1))
    normal = train.targets["normal"]
    assert torch.equal(normal[half:, 0], -normal[:half, 0].flip(-1))
    assert torch.equal(normal[half:, 1:], normal[:half, 1:].flip(-1))


def test_the_card_is_flagged_and_says_what_to_keep_in_mind() -> None:
    card = Motorcycle().card
    assert card.kind == "derived"
    assert any("One photo" in caveat for caveat in card.caveats)
    assert any("computed from the measured depth" in caveat for caveat in card.caveats)
    assert card.network == "U-Net of 3 levels, width 16, on 64x64"


def test_without_pillow_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingPackage, match=r"pip install 'weighbridge\[datasets\]'"):
        picture(b"")


def write_aloe(root: Path) -> Path:
    """Files of the real names and sizes, with a plane that leans back."""
    few = np.random.default_rng(0).integers(0, 256, (37, 43, 3)).astype("u1")
    Image.fromarray(few).resize((1282, 1110)).save(root / "aloeL.jpg", quality=50)
    disparities = np.repeat(np.linspace(60, 120, 1110)[:, None], 1282, axis=1).astype("u1")
    disparities[:, :9] = 0
    Image.fromarray(disparities).save(root / "aloeGT.png")
    return root


def test_another_scene_is_judged_by_depth_and_normals(tmp_path: Path) -> None:
    contents = [(write_aloe(tmp_path) / of.path).read_bytes() for of in ALOE_FILES]
    found = aloe(contents)
    assert found["image"].shape == (3, *ALOE_SIZE)
    assert found["depth"].shape == (1, *ALOE_SIZE)
    with Image.open(tmp_path / "aloeL.jpg") as photo:
        square = np.asarray(photo)[3:6, 6:9].reshape(-1, 3).mean(axis=0)
    assert np.abs(found["image"][:, 1, 2] - square).max() <= 0.5
    measured = found["depth"][0, :, 4:]
    assert np.isnan(found["depth"][0, :, :3]).all()
    assert measured[0] == pytest.approx(3740 * 0.16 / (60 + 270), abs=0.01)
    assert measured[-1] == pytest.approx(3740 * 0.16 / (120 + 270), abs=0.01)
    assert (found["normal"][2, :, 4:] < 0).all()


def test_a_scene_that_is_not_there_is_told_before_and_when_it_is_read(tmp_path: Path) -> None:
    problem = Motorcycle(judged_on="aloe", aloe_root=str(tmp_path / "none"))
    card = problem.card
    assert card.task_names == ("depth", "normal")
    assert card.sizes["test"] == 120
    assert "apt install opencv-doc" in card.missing
    with pytest.raises(MissingPackage, match="Install it with: apt install opencv-doc"):
        problem.sources(CPU)
    here = Motorcycle(judged_on="aloe", aloe_root=str(write_aloe(tmp_path)))
    assert here.card.missing == ""
    with pytest.raises(DataChanged, match="apt install --reinstall opencv-doc"):
        here.sources(CPU)
    assert Motorcycle().card.missing == ""
    assert Motorcycle().card.data_version != card.data_version


def test_the_real_scene_is_read_where_it_is_installed() -> None:
    problem = Motorcycle(judged_on="aloe")
    if problem.card.missing:
        skip_for_want_of("Debian's opencv-doc (apt install opencv-doc)")
    test = problem.sources(CPU)["test"]
    assert test.size == problem.card.sizes["test"]
    depth = test.targets["depth"]
    assert depth[depth.isfinite()].min() > 1.2
    assert depth[depth.isfinite()].max() < 2.3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"judged_on": "aloes"}, "Did you mean `aloe`?"),
        ({"aloe_root": "data"}, "`aloe_root` must be a whole path. Got 'data'."),
        ({"side": 48}, "`side` must be one of 32, 64. Got 48."),
        ({"stride": 20}, "`stride` must be one of 16, 32, 64. Got 20."),
        ({"stride": "32"}, "Got '32'."),
        ({"mirrored": "yes"}, "`mirrored` must be one of True, False. Got 'yes'."),
        ({"mirrored": 1}, "Got 1."),
        ({"network": "resnet"}, "`network` must be one of"),
        ({"width": 0}, "`width` must be a whole number of at least 1."),
        ({"layers": 1.5}, "Got 1.5."),
    ],
)
def test_bad_option_says_rule_and_finding(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadOption) as error:
        Motorcycle(**options)
    assert message in str(error.value)


@pytest.mark.parametrize("part", ["head", "functions"])
def test_unknown_task_is_refused(part: str) -> None:
    with pytest.raises(UnknownTask, match="Did you mean `depth`"):
        getattr(Motorcycle(), part)("depths")
