"""Pack sizes where a search tunes the optimiser: they go by that of the runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from storage import Storage
from tests.unit.study.pack_world import GPU, GRID, World, answer, on_gpu, rows_of

SEVERAL = {"weighting": "ew", "stages": [{"optimizer": ["adam", "adatask"]}]}


@pytest.fixture
def storage() -> Iterator[Storage]:
    storage = Storage(None)
    yield storage
    storage.close()


def sized_by_optimizer(world: World, sizes: dict[str, int]) -> None:
    """Answer calibrations until none is asked for any more."""
    state = world.state()
    while (wanted := world.sizes.to_measure(state)) is not None:
        world.sizes.measured(state, answer(wanted, sizes.pop(wanted.training.optimizer)))
    assert not sizes


def test_packs_go_by_the_optimiser_of_the_run_that_is_first_in_line(storage: Storage) -> None:
    world = World(storage, searches=(SEVERAL, GRID))
    sized_by_optimizer(world, {"adam": 18, "adatask": 4})
    state = world.state()
    most, ids = world.sizes.most(state), {of.name: of.id for of in world.engine.searches}
    assert most(ids["ew"], '{"lr":0.01,"optimizer":"adam"}') == 18
    assert most(ids["ew"], '{"lr":0.01,"optimizer":"adatask"}') == 4
    assert most(ids["scalarization"], '{"lr":0.01}') == 18


def test_only_the_network_of_all_tasks_is_timed_with_another_optimiser(storage: Storage) -> None:
    world = World(storage, searches=(SEVERAL,))
    world.calibrated()
    wanted = world.sizes.to_measure(world.state())
    assert wanted is not None
    assert (wanted.training.optimizer, wanted.shapes) == ("adatask", (("left", "right", "sum"),))
    assert world.sizes.waiting(world.state())


def test_what_an_optimiser_was_timed_with_serves_studies_that_train_by_it(storage: Storage) -> None:
    world = World(storage, searches=(SEVERAL,))
    sized_by_optimizer(world, {"adam": 18, "adatask": 4})
    later = World(storage, study="later", optimizer="adatask", searches=(GRID,))
    wanted = later.sizes.to_measure(later.state())
    assert wanted is not None  # single tasks are not known with it
    again = World(storage, study="again", searches=(SEVERAL,))
    assert again.sizes.to_measure(again.state()) is None


def test_what_runs_take_alone_is_told_by_the_optimiser_of_training(storage: Storage) -> None:
    world = World(storage, searches=(SEVERAL,))
    sized_by_optimizer(world, {"adam": 18, "adatask": 4})
    assert world.sizes.alone_s(world.state(), "ew") == 3.0


def test_a_size_by_hand_needs_no_other_optimiser_to_be_timed(storage: Storage) -> None:
    world = World(storage, pack_size=5, searches=(SEVERAL,))
    world.calibrated(size=1)
    assert world.sizes.to_measure(world.state()) is None
    assert world.sizes.of(world.state(), "ew", optimizer="adatask") == 5


def test_rows_of_a_gpu_fit_with_each_optimiser(storage: Storage) -> None:
    world = on_gpu(storage, searches=(SEVERAL,))
    state = world.calibrated(world.state(GPU))
    assert rows_of(world) is None
    wanted = world.sizes.to_measure(state)
    assert wanted is not None
    world.sizes.measured(state, answer(wanted, 4))
    assert rows_of(world) == 4
