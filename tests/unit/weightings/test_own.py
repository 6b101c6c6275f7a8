"""A weighting of one's own as ``module:Class``, from the folder of the study."""

from __future__ import annotations

from pathlib import Path

import pytest

from study.errors import BadSpec
from study.planning.plan import make_plan
from tests.unit.study.specs import spec_of
from trainers.weightings import BadWeighting, weighting

GOOD = """
from trainers.weightings import Weighting


class Mine(Weighting):
    name, title, paper = "mine", "Mine", "none"

    def objective(self, losses, **_):
        return losses.mean(-1)


class Taken(Mine):
    name = "ew"


class Unnamed(Weighting):
    def objective(self, losses, **_):
        return losses.sum(-1)


other = 3
"""


@pytest.fixture
def folder(tmp_path: Path) -> str:
    (tmp_path / "my_own_weighting.py").write_text(GOOD)
    (tmp_path / "my_broken_weighting.py").write_text("1 / 0")
    return str(tmp_path)


def test_a_class_beside_the_study_is_found(folder: str) -> None:
    assert weighting("my_own_weighting:Mine", folder).name == "mine"


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("my_own_weighting:Taken", "'ew' of my_own_weighting:Taken is taken"),
        ("my_own_weighting:Unnamed", "must set name, title and paper"),
        ("my_own_weighting:other", "must be a concrete subclass of Weighting"),
        ("my_own_weighting:Nine", "has no `Nine`.*Did you mean"),
        ("my_broken_weighting:Mine", "must import without an error. It raised ZeroDivisionError"),
        ("nowhere_at_all:Mine", "Module `nowhere_at_all` was not found"),
        ("a b:Mine", "is `package.module:Class`"),
        (f"m{'x' * 90}:Mine", "in 64 characters"),
    ],
)
def test_what_cannot_be_used_is_refused(target: str, why: str, folder: str) -> None:
    with pytest.raises(BadWeighting, match=why):
        weighting(target, folder)


def test_a_plan_trains_with_it(folder: str) -> None:
    search = {"weighting": "my_own_weighting:Mine", "stages": [{"lr": [0.01]}]}
    found = make_plan(spec_of(search=[search]), folder=folder).searches[-1]
    assert (found.name, found.weighting) == ("my_own_weighting:Mine", "my_own_weighting:Mine")
    with pytest.raises(BadSpec, match="has no `Nine`"):
        make_plan(spec_of(search=[search | {"weighting": "my_own_weighting:Nine"}]), folder=folder)
