"""Regions, depths and directions of images: both engines train and judge them alike."""

from __future__ import annotations

import pytest

from tests.contract.engine_repeating import by_epoch, trained
from tests.contract.fused_cases import fused
from tests.contract.test_fused import assert_near
from tests.packs import Engine, a_job, a_pack, hyper_for
from tests.scene import DENSE, Scene
from trainers.engines import open_session, promises, train
from trainers.jobs import Job

pytestmark = pytest.mark.usefixtures("one_thread")

QUANTUM = 2.0**-24
"""To multiples of this, errors and angles are rounded."""
ENGINES = pytest.mark.parametrize("engine", [train, fused], ids=["solo", "fused"])


def jobs() -> list[Job]:
    return [
        a_job(run, name, tasks=DENSE, hyper=hyper_for(name))
        for run, name in enumerate(("ew", "uw-so", "uw", "scalarization"), start=1)
    ]


def test_both_engines_give_the_same_numbers(float64: None) -> None:
    pack = a_pack(*jobs(), batch_size=1, eval_batch_size=3, epochs=2)
    alone, stacked = (by_epoch(trained(engine, pack, Scene())) for engine in (train, fused))
    assert_near(stacked, alone, rel=QUANTUM)
    assert {name for _, task, name in alone[1][1] if task == "directions"} >= {"mean", "median"}


@ENGINES
def test_they_are_learned(engine: Engine) -> None:
    told = trained(engine, a_pack(a_job(tasks=DENSE), epochs=12), Scene())[1]
    before, after = told.epochs[1], told.epochs[12]
    for better in ("miou", "pixel_accuracy"):
        assert after["validation", "regions", better] > before["validation", "regions", better]
    for worse in ("mean", "median"):
        assert after["validation", "directions", worse] < before["validation", "directions", worse]
    assert after["test", "depths", "rel_error"] < before["test", "depths", "rel_error"]


@ENGINES
def test_the_size_of_batches_changes_no_judgement(float64: None, engine: Engine) -> None:
    of_sizes = [
        by_epoch(
            trained(engine, a_pack(a_job(tasks=DENSE), eval_batch_size=size, epochs=1), Scene())
        )
        for size in (1, 3, 1024)
    ]
    assert_near(of_sizes[1], of_sizes[0], rel=QUANTUM)
    assert_near(of_sizes[2], of_sizes[0], rel=QUANTUM)


@pytest.mark.parametrize("network", ["", "unet", "segnet", "mtan"])
def test_all_promises_are_kept(network: str) -> None:
    found = [kept.found for kept in promises(open_session(Scene(network=network), "cpu"))]
    assert found == [""] * 5
