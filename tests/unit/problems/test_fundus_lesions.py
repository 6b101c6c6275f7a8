"""Fundus lesions: where tiles are cut, what is put into them, and who is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import torch

from trainers.problems._embedded import cache_folder, load_all
from trainers.problems._fewer_labels import FewerLabels
from trainers.problems._fundus_sectors import GAP, SECTORS, SIDES
from trainers.problems._fundus_tiles import KIND, parsed
from trainers.problems._noise import Noise
from trainers.problems._noisy_labels import NoisyLabels
from trainers.problems._some_tasks import SomeTasks
from trainers.problems.errors import BadOption, UnknownTask
from trainers.problems.fundus_lesions import FILES, FundusLesions
from trainers.problems.regions import check_regions, evaluation_regions
from trainers.protocol import Problem
from trainers.testing import ProblemContract

CPU = torch.device("cpu")
SMALL = FundusLesions(side=48, width=2, train_tiles=24, validation_tiles=12, test_tiles=12)


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self) -> Problem:
        return SMALL


@pytest.fixture(scope="module")
def photo() -> Iterator[dict[str, np.ndarray]]:
    yield load_all(FILES, parsed, cache=cache_folder())


def images(problem: FundusLesions, split: str = "train") -> np.ndarray:
    return problem.sources(CPU)[split].inputs.numpy()


def test_same_options_give_the_same_bytes() -> None:
    digest = sha256()
    for split, source in replace(SMALL, side=96).sources(CPU).items():
        digest.update(split.encode())
        digest.update(source.inputs.numpy().tobytes())
        for task in ("present", "severity", "count"):
            digest.update(source.targets[task].numpy().tobytes())
    assert digest.hexdigest()[:16] == "71a6753545f23fdb"


def test_between_splits_lies_more_than_a_tile() -> None:
    assert max(SIDES) < GAP
    for one, other in combinations(SECTORS.values(), 2):
        gaps = [
            max(of[0] for of in pair) - min(of[1] for of in pair)
            for pair in ((one.rows, other.rows), (one.columns, other.columns))
        ]
        assert max(gaps) == GAP


def test_tiles_lie_in_the_retina(photo: dict[str, np.ndarray]) -> None:
    """Outside of it the photo is black."""
    lit = photo["retina"].max(axis=0) > 60
    for sector in SECTORS.values():
        for side in SIDES:
            corners = [
                (top, left)
                for top in range(*sector.rows, 16)
                for left in range(*sector.columns, 16)
                if sector.holds(top, left, side)
            ]
            assert all(lit[y : y + side, x : x + side].all() for y, x in corners)
            assert len(corners) > sector.n_squares(side) > 20


def test_profiles_are_those_of_the_two_real_lesions(photo: dict[str, np.ndarray]) -> None:
    """Dips of 62 and 38 grey levels on some 100, a few pixels wide, and nothing at the rim."""
    profiles = photo["profiles"]
    assert profiles.max(axis=(1, 2)) == pytest.approx([0.63, 0.38], abs=0.02)
    middle = np.argwhere(profiles > 0.9 * profiles.max(axis=(1, 2), keepdims=True))[:, 1:]
    assert (np.abs(middle - 8) <= 1).all()
    assert profiles[:, [0, -1]].max() == profiles[:, :, [0, -1]].max() == 0


@pytest.mark.parametrize("side", SIDES)
def test_targets_and_regions_tell_the_same(side: int) -> None:
    problem = replace(SMALL, side=side)
    for split, source in problem.sources(CPU).items():
        regions = problem.evaluation_regions(split)
        check_regions(regions, n_images=source.size, size=(side, side))
        counts = torch.tensor([len(of) for of in regions])
        assert torch.equal(source.targets["count"], counts.float())
        assert torch.equal(source.targets["present"], (counts > 0).float())
        assert torch.equal(source.targets["severity"], torch.tensor([0, 1, 1, 2])[counts])
        n = source.size
        assert torch.bincount(counts).tolist() == [n // 2, n // 6, n // 6, n // 6]


def test_a_lesion_is_dark_where_its_region_is_and_nowhere_else() -> None:
    clear, faint = replace(SMALL, distractors=0), replace(SMALL, distractors=0, contrast=1e-6)
    lost = images(faint).astype(int) - images(clear)
    for tile, regions in zip(lost, clear.evaluation_regions("train"), strict=True):
        inside = np.any([region.mask for region in regions], axis=0) if regions else False
        outside = ~np.broadcast_to(inside, tile.shape[1:])
        assert (tile >= 0).all()
        assert tile[1][outside].max() < 40
        for region in regions:
            assert region.kind == KIND
            assert 8 <= region.mask.sum() <= 120
            assert region.mask[round(region.y), round(region.x)]
            of_green, of_blue = tile[1:, region.mask].mean(axis=1)
            assert of_green > 4
            assert of_green > of_blue


def test_lesions_of_a_tile_lie_apart_and_not_at_its_edge() -> None:
    for of_tile in replace(SMALL, side=96, train_tiles=60).evaluation_regions("train"):
        for region in of_tile:
            assert 10 <= min(region.y, region.x) <= max(region.y, region.x) <= 85
        for one, other in combinations(of_tile, 2):
            assert np.hypot(one.y - other.y, one.x - other.x) >= 14


def test_distractors_are_as_many_with_lesions_as_without() -> None:
    """They are dark, no regions, and tell nothing: they change as much of either kind of tile."""
    with_them = replace(SMALL, side=96, train_tiles=120)
    without = replace(with_them, distractors=0)
    changed = (images(with_them) != images(without)).reshape(120, -1).mean(axis=1)
    of_lesions = with_them.sources(CPU)["train"].targets["present"].numpy() > 0
    assert 0.2 < (changed == 0).mean() < 0.5
    assert changed[of_lesions].mean() == pytest.approx(changed[~of_lesions].mean(), rel=0.3)


def test_wrapped_problems_know_the_same_regions() -> None:
    regions = SMALL.evaluation_regions("test")
    noise = Noise(tasks=("present",), kind="symmetric", rate=0.25)
    for wrapped in (
        SomeTasks(SMALL, ("present",)),
        NoisyLabels(SMALL, noise),
        FewerLabels(SMALL, {"present": 0.5}),
    ):
        assert evaluation_regions(wrapped, "test") is regions


def test_the_card_says_that_it_is_semi_synthetic() -> None:
    card = FundusLesions().card
    assert card.kind == "semi-synthetic"
    assert card.caveats[0].startswith("Semi-synthetic")
    assert card.distinct == {"train": 46, "validation": 22, "test": 26}


def test_heads_show_where_an_answer_comes_from() -> None:
    """The mean of the class activation map, and the bias, are the logit."""
    trunk, head = SMALL.trunk(), SMALL.head("present")
    with torch.no_grad():
        maps = trunk(torch.rand(2, 3, 48, 48))
        assert maps.shape == (2, 8, 12, 12)
        activation = torch.einsum("bchw,oc->bohw", maps, head.linear.weight)
        torch.testing.assert_close(activation.mean((2, 3)) + head.linear.bias, head(maps))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"contrast": 0}, "`contrast` must be above 0 and at most 1.5. Got 0."),
        ({"contrast": float("nan")}, "Got nan."),
        ({"contrast": "high"}, "Got 'high'."),
        ({"contrast": True}, "Got True."),
        ({"distractors": 6}, "`distractors` must be at most 5"),
        ({"distractors": -1}, "`distractors` must be a whole number of at least 0."),
        ({"side": 32}, "`side` must be one of 48, 64, 96. Got 32."),
        ({"width": 0}, "`width` must be a whole number of at least 1."),
        ({"test_tiles": 5}, "`test_tiles` must be a whole number of at least 6."),
        ({"split_seed": 0.5}, "Got 0.5."),
    ],
)
def test_bad_option_says_rule_and_finding(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadOption) as error:
        FundusLesions(**options)
    assert message in str(error.value)


@pytest.mark.parametrize("part", ["head", "functions"])
def test_unknown_task_is_refused(part: str) -> None:
    with pytest.raises(UnknownTask, match="Did you mean `present`"):
        getattr(SMALL, part)("presents")


def test_regions_of_no_split_are_refused() -> None:
    with pytest.raises(BadOption, match="Did you mean `test`"):
        SMALL.evaluation_regions("tests")
