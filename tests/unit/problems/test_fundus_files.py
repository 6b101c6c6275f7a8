"""Fundus photos of the user's: what is read of Kaggle's and DiaretDB1's files, what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.unit.problems.breaking import edited
from tests.unit.problems.fundus_trees import (
    DIARETDB1,
    LEVELS,
    circle,
    document,
    marking,
    of_diaretdb1,
    of_kaggle,
    write_diaretdb1,
    write_kaggle,
)
from trainers.problems.errors import BadOption, DataBroken, UnknownTask
from trainers.problems.files.fundus_marks import Marking, agreed
from trainers.problems.fundus_files import FundusFiles
from trainers.problems.regions import check_regions
from trainers.protocol import Problem
from trainers.randomness import Key
from trainers.testing import ProblemContract

CPU = torch.device("cpu")
MARKED = "groundtruth/diaretdb1_image009_02_plain.xml"


@pytest.fixture(scope="module")
def kaggle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_kaggle(tmp_path_factory.mktemp("kaggle") / "dr")


@pytest.fixture(scope="module")
def diaretdb1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_diaretdb1(tmp_path_factory.mktemp("ddb1") / "ddb1_v02_01")


def targets(problem: FundusFiles, split: str, task: str) -> list[float]:
    (batch,) = problem.sources(CPU)[split].batches(None, 64, Key("x"))
    values: list[float] = batch.targets[task].tolist()
    return values


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self, kaggle: Path) -> Problem:
        return of_kaggle(kaggle)


def test_levels_are_presence_and_severity_of_kaggles_photos(kaggle: Path) -> None:
    problem = of_kaggle(kaggle)
    assert problem.card.task_names == ("present", "severity")
    assert problem.card.kind == "real"
    for split, names in problem.split(problem.samples(kaggle)).items():
        levels = [LEVELS[Path(name).stem] for name in names]
        assert targets(problem, split, "present") == [float(level > 0) for level in levels]
        assert targets(problem, split, "severity") == [[0, 1, 1, 2, 2][level] for level in levels]


def test_both_eyes_of_a_patient_are_in_one_split(kaggle: Path) -> None:
    problem = of_kaggle(kaggle)
    split = problem.split(problem.samples(kaggle))
    patients = {of: {Path(name).stem.split("_")[0] for name in split[of]} for of in split}
    assert {of: len(names) for of, names in split.items()} == problem.card.sizes
    assert sum(map(len, patients.values())) == len(set().union(*patients.values())) == 5
    assert split != of_kaggle(kaggle, split_seed=1).split(problem.samples(kaggle))


def test_photos_are_made_square_by_black_borders(kaggle: Path) -> None:
    (batch,) = of_kaggle(kaggle).sources(CPU)["train"].batches(None, 64, Key("x"))
    assert batch.inputs.shape == (6, 3, 32, 32)
    rows = batch.inputs.amax(dim=(0, 1, 3))
    assert rows[:3].max() == rows[-3:].max() == 0
    assert rows[5:-5].min() > 0.15


def test_experts_agree_where_the_mean_of_how_sure_they_are_says(diaretdb1: Path) -> None:
    """Four are certain of exudates, three of a haemorrhage; one is rather sure of a dot."""
    for agreement, kinds in (
        (1.0, {"hard exudate"}),
        (0.75, {"hard exudate", "haemorrhage"}),
        (0.1875, {"hard exudate", "haemorrhage", "red small dot"}),
    ):
        problem = of_diaretdb1(diaretdb1, agreement=agreement)
        healthy, other = problem.evaluation_regions("test")
        assert healthy == []
        assert {region.kind for region in other} == kinds
        assert targets(problem, "test", "count") == [0, len(kinds)]
        assert targets(problem, "test", "present") == [0, 1]
        assert targets(problem, "test", "severity") == [0, 1 if len(kinds) < 3 else 2]
        check_regions([other], n_images=1, size=(32, 32))


def test_regions_lie_where_the_photo_shows_them_when_it_is_shrunk(diaretdb1: Path) -> None:
    """Of 60x46 pixels, made square by 7 rows above, as they are."""
    _, other = of_diaretdb1(diaretdb1, agreement=0.1, size=60).evaluation_regions("test")
    by_kind = {region.kind: region for region in other}
    exudate, dot = by_kind["hard exudate"], by_kind["red small dot"]
    assert (exudate.x, exudate.y) == pytest.approx((30, 20 + 7))
    assert exudate.mask.sum() == pytest.approx(np.pi * 6**2, abs=4)
    rows, columns = np.nonzero(dot.mask)
    assert np.ptp(rows) > 2 * np.ptp(columns)  # an angle of 90 degrees: it stands


def test_a_lesion_smaller_than_a_pixel_is_one() -> None:
    problem = FundusFiles(**{**DIARETDB1, "size": 32})
    mask = np.zeros((460, 600), dtype=bool)
    mask[100, 200] = True
    region = problem.samples(Path("x"))._region("red small dot", mask)
    assert region.mask.sum() == 1
    assert region.mask[round(region.y), round(region.x)]


def test_ellipses_are_turned_against_the_clock() -> None:
    slanted = Marking(
        kind="red small dot", sure=1.0, centre=(20.0, 20.0), radii=(12.0, 2.0), angle=45.0
    )
    ((_, mask),) = agreed([[slanted]], (41, 41), 1.0)
    assert mask[14, 26] and mask[26, 14]
    assert not mask[26, 26] and not mask[14, 14]


def test_kaggles_photos_train_and_diaretdb1_judges(tmp_path: Path) -> None:
    root = write_kaggle(tmp_path / "both")
    write_diaretdb1(root / "ddb1_v02_01")
    problem = of_kaggle(root, judged_on="diaretdb1", train_samples=8, test_samples=5)
    assert problem.card.task_names == ("present",)
    assert problem.card.sizes == {"train": 8, "validation": 2, "test": 5}
    assert sorted(targets(problem, "test", "present")) == [0, 1, 1, 1, 1]
    assert problem.evaluation_regions("validation") == ()
    assert [len(of) for of in problem.evaluation_regions("test")] == [2, 2, 2, 0, 2]


def test_what_experts_say_is_in_the_hash(diaretdb1: Path, tmp_path: Path) -> None:
    first = of_diaretdb1(diaretdb1).card.data_version
    root = shutil.copytree(diaretdb1, tmp_path / "copy")
    assert of_diaretdb1(root).card.data_version == first
    assert of_diaretdb1(root, agreement=0.5).card.data_version != first
    edited(MARKED, lambda text: text.replace("High", "Low"))(root)
    assert of_diaretdb1(root).card.data_version != first


def test_without_files_the_card_is_that_of_the_whole_sets() -> None:
    card = FundusFiles().card
    assert card.sizes == {"train": 28_126, "validation": 3_500, "test": 3_500}
    assert "WEIGHBRIDGE_DATA" in card.missing
    assert FundusFiles(judged_on="diaretdb1").card.sizes["test"] == 89


def test_an_odd_number_of_photos_would_part_the_eyes_of_a_patient(kaggle: Path) -> None:
    with pytest.raises(DataBroken, match="Hold out another number"):
        _ = of_kaggle(kaggle, train_samples=5, test_samples=3).card


def test_markings_that_are_no_lesions_are_left_out_when_they_are_named(
    diaretdb1: Path, tmp_path: Path
) -> None:
    root = shutil.copytree(diaretdb1, tmp_path / "copy")
    (root / MARKED).write_text(document([marking("Drusen", "High", circle(5, 5, 2))]))
    assert of_diaretdb1(root, ignored=["Disc", "Drusen"]).card.sizes["test"] == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trained_on": "kaggle"}, "Did you mean `kaggle-dr`?"),
        ({"trained_on": "diaretdb1"}, "`judged_on` must be diaretdb1 if `trained_on` is"),
        *(
            ({"agreement": value}, "`agreement` must be above 0 and at most 1.")
            for value in (0, -0.5, 1.01, float("nan"), "0.75", True)
        ),
        ({"ignored": "Disc"}, "`ignored` must be a list of types of markings. Got 'Disc'."),
        ({"size": 16}, "`size` must be a whole number of at least 32. Got 16."),
        ({"test_samples": -1}, "`test_samples` must be a whole number of at least 0."),
        ({"loaders": -1}, "`loaders`"),
    ],
)
def test_bad_option_says_rule_and_finding(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadOption) as error:
        FundusFiles(**options)
    assert message in str(error.value)


@pytest.mark.parametrize("part", ["head", "functions"])
def test_a_task_of_another_set_is_refused(part: str) -> None:
    with pytest.raises(UnknownTask, match=r"The tasks are present, severity\. Got `count`"):
        getattr(FundusFiles(), part)("count")
