"""Pack sizes: measured once for each hardware, kept in the database, halved when packs fall."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from storage import Storage
from study.running.pack_sizes import MOST, MOST_IN_STEP, MOST_ON_GPU, UNMEASURED
from tests.unit.study.pack_world import GPU, GRID, World, answer, fallen, on_gpu, rows_of
from trainers.events import Calibrated, NetworkFacts
from trainers.jobs import Engine

SEARCH = "scalarization"


@pytest.fixture
def storage() -> Iterator[Storage]:
    storage = Storage(None)
    yield storage
    storage.close()


def test_the_first_worker_measures_and_the_others_of_its_hardware_wait(storage: Storage) -> None:
    world = World(storage)
    first, second, other = world.state(), world.state(), world.state(GPU)
    wanted = world.sizes.to_measure(first)
    assert wanted is not None
    assert world.sizes.waiting(second)
    assert not world.sizes.waiting(other)
    world.sizes.measured(first, answer(wanted, 18))
    assert not world.sizes.waiting(second)
    assert world.sizes.to_measure(second) is None
    assert world.sizes.of(second, SEARCH) == 18


def test_all_networks_are_timed_that_of_all_tasks_first(storage: Storage) -> None:
    world = World(storage)
    wanted = world.sizes.to_measure(world.state())
    assert wanted is not None
    assert wanted.shapes == (("left", "right", "sum"), ("left",), ("right",), ("sum",))


def test_what_was_measured_before_is_not_measured_again(storage: Storage) -> None:
    World(storage).calibrated(size=9)
    later = World(storage)
    state = later.state()
    assert later.sizes.to_measure(state) is None
    assert later.sizes.of(state, SEARCH) == 9


def test_larger_packs_than_were_tried_are_tried_when_they_are_wanted(storage: Storage) -> None:
    few = World(storage, workers=50)
    state = few.state()
    wanted = few.sizes.to_measure(state)
    assert wanted is not None
    few.sizes.measured(state, answer(wanted, wanted.most))
    again = World(storage, workers=1)
    assert again.sizes.to_measure(again.state()) is not None


def test_packs_as_large_as_were_tried_are_not_tried_again(storage: Storage) -> None:
    world = World(storage)
    state = world.state()
    wanted = world.sizes.to_measure(state)
    assert wanted is not None
    world.sizes.measured(state, answer(wanted, wanted.most))
    again = World(storage)
    assert again.sizes.to_measure(again.state()) is None


def test_no_larger_pack_is_tried_than_would_leave_a_worker_without_runs(storage: Storage) -> None:
    world = World(storage, workers=7)
    wanted = world.sizes.to_measure(world.state())
    assert wanted is not None
    assert 7 * (wanted.most - 1) < world.plan.expected_runs <= 7 * wanted.most


def test_other_hardware_is_measured_for_itself(storage: Storage) -> None:
    world = World(storage)
    world.calibrated()
    assert world.sizes.to_measure(world.state(GPU)) is not None


def test_a_size_by_hand_needs_no_packs_to_be_timed(storage: Storage) -> None:
    world = World(storage, pack_size=5)
    state = world.state()
    wanted = world.sizes.to_measure(state)
    assert wanted is not None
    assert wanted.most == 1
    world.sizes.measured(state, answer(wanted, 1))
    assert world.sizes.of(state, SEARCH) == 5


def test_without_stacks_runs_are_trained_one_by_one_and_nothing_is_timed(storage: Storage) -> None:
    world = World(storage, engine="solo")
    state = world.state()
    assert world.sizes.to_measure(state) is None
    assert world.sizes.of(state, SEARCH) == 1
    assert world.sizes.alone_s(state, SEARCH) is None


@pytest.fixture
def in_step(storage: Storage) -> World:
    return World(storage, engine="solo", streamed=True, workers=1)


def test_solo_runs_of_streamed_data_are_timed_in_step(in_step: World) -> None:
    wanted = in_step.sizes.to_measure(in_step.state())
    assert wanted is not None
    assert (wanted.engine, wanted.most) == ("solo", MOST_IN_STEP)


def test_they_get_packs_and_what_they_would_cost_alone(in_step: World) -> None:
    state = in_step.calibrated(size=6)
    assert in_step.sizes.of(state, SEARCH) == 6
    assert in_step.sizes.alone_s(state, SEARCH) == 3.0
    in_step.sizes.halve(fallen(6, "solo"), "took too much memory")
    assert in_step.sizes.of(state, SEARCH) == 3


def test_sizes_by_hand_count_for_them_too(storage: Storage) -> None:
    world = World(storage, engine="solo", streamed=True, pack_size=5)
    assert world.sizes.of(world.calibrated(size=1), SEARCH) == 5


def test_stacks_and_runs_in_step_do_not_take_each_others_sizes(storage: Storage) -> None:
    World(storage).calibrated(size=9)
    world = World(storage, engine="solo", streamed=True, study="another")
    assert world.sizes.to_measure(world.state()) is not None


def test_an_epoch_alone_is_that_of_the_runs_own_network(storage: Storage) -> None:
    world = World(storage)
    state = world.calibrated()
    assert world.sizes.alone_s(state, SEARCH) == 3.0
    assert world.sizes.alone_s(state, "stl/left") == 1.0


def test_a_calibration_that_failed_is_told_and_packs_are_small(storage: Storage) -> None:
    world = World(storage)
    state = world.state()
    world.sizes.to_measure(state)
    world.sizes.measured(state, Calibrated(shapes=(), seconds=0.1, failure="ValueError: no"))
    assert world.sizes.of(state, SEARCH) == UNMEASURED
    assert world.sizes.alone_s(state, SEARCH) is None
    assert "ValueError: no" in world.said[0]


def test_packs_that_fall_are_halved_down_to_single_runs(storage: Storage) -> None:
    world = World(storage)
    state = world.calibrated(size=18)
    for size in (18, 9, 4, 2):
        world.sizes.halve(fallen(size), "took too much memory")
    assert world.sizes.of(state, SEARCH) == 1
    assert world.said[0] == (
        "A pack of 18 runs took too much memory; packs have at most 9 from now on."
    )
    world.sizes.halve(fallen(1), "took too much memory")
    assert len(world.said) == 4


def test_two_packs_of_one_size_that_fall_halve_once(storage: Storage) -> None:
    world = World(storage)
    state = world.calibrated(size=18)
    world.sizes.halve(fallen(18), "fell")
    world.sizes.halve(fallen(18), "fell")
    assert world.sizes.of(state, SEARCH) == 9
    assert len(world.said) == 1


def test_a_worker_that_ends_while_it_measures_is_followed_by_one_more_trial(
    storage: Storage,
) -> None:
    world = World(storage)
    first = world.state()
    assert world.sizes.to_measure(first) is not None
    world.sizes.lost(first)
    second = world.state()
    assert world.sizes.to_measure(second) is not None
    world.sizes.lost(second)
    third = world.state()
    assert world.sizes.to_measure(third) is None
    assert world.sizes.of(third, SEARCH) == UNMEASURED


def test_no_pack_is_larger_than_the_largest_that_is_tried(storage: Storage) -> None:
    world = World(storage, workers=1)
    wanted = world.sizes.to_measure(world.state())
    assert wanted is not None
    assert wanted.most <= MOST


def test_on_a_gpu_the_first_calibration_fixes_the_rows_of_all_stacks(storage: Storage) -> None:
    world = on_gpu(storage)
    first, other = world.calibrated(size=9), world.calibrated(world.state(GPU), size=4)
    assert world.engine.rows("fused") == rows_of(world) == 9
    assert [world.sizes.of(state, SEARCH) for state in (first, other)] == [9, 9]


@pytest.mark.parametrize(("training", "rows"), [({"pack_size": 5}, 5), ({"pack_size": 1}, 2)])
def test_rows_by_hand_are_those_of_the_largest_pack(
    storage: Storage, training: dict[str, int], rows: int
) -> None:
    world = on_gpu(storage, **training)
    world.calibrated(size=2)
    assert rows_of(world) == rows


def test_steps_that_could_not_be_timed_fix_a_number_too(storage: Storage) -> None:
    world = on_gpu(storage)
    state = world.state()
    assert world.sizes.to_measure(state) is not None
    world.sizes.measured(state, Calibrated(shapes=(), seconds=0.1, failure="ValueError: no"))
    assert rows_of(world) == UNMEASURED


def test_a_processor_s_stacks_have_as_many_rows_as_they_need(storage: Storage) -> None:
    world = World(storage)
    world.calibrated()
    assert (world.engine.rows("fused"), rows_of(world)) == (None, None)


def test_rows_that_take_too_much_memory_are_halved_and_said(storage: Storage) -> None:
    world = on_gpu(storage)
    state = world.calibrated(size=9)
    for _ in range(2):  # two packs of 9 rows fall at once
        world.sizes.halve(fallen(9), "took too much memory")
    assert world.engine.rows("fused") == rows_of(world) == world.sizes.of(state, SEARCH) == 4
    assert [text for text in world.said if "later runs round otherwise" in text] == world.said


def test_tiny_networks_are_tried_in_hundreds_on_a_gpu(storage: Storage) -> None:
    world = on_gpu(storage, workers=1)
    plan = world.plan
    object.__setattr__(plan, "searches", plan.searches * 100)
    wanted = world.sizes.to_measure(world.state())
    assert wanted is not None
    assert MOST < wanted.most <= MOST_ON_GPU


@pytest.mark.parametrize(("size", "engine"), [(9, "fused"), (1, "solo")])
def test_an_engine_without_a_rule_is_chosen_by_the_first_calibration(
    storage: Storage, size: int, engine: str
) -> None:
    world = on_gpu(storage, None)
    first, other = world.state(), world.state(GPU)
    wanted = world.sizes.to_measure(first)
    assert wanted is not None
    assert wanted.engine == "fused"
    assert wanted.most > 1
    assert world.sizes.waiting(other)
    times = {1: 1.0, 9: 0.5} if size > 1 else {1: 1.0, 9: 1.5}
    found = answer(wanted, 9)
    whole = replace(found.shapes[0], run_step_ms=times, pack_size=size)
    world.sizes.measured(first, replace(found, shapes=(whole, *found.shapes[1:])))
    assert {search.engine for search in storage.searches(world.study_id)} == {engine}
    assert world.engine.of(SEARCH) == engine
    assert not world.sizes.waiting(other)
    assert "ms alone" in storage.searches(world.study_id)[0].engine_reason
    assert any(f"trained {engine}" in text for text in world.said)


def test_a_worker_that_dies_while_it_chooses_is_followed_by_one_and_no_more(
    storage: Storage,
) -> None:
    world = on_gpu(storage, None)
    for _ in range(2):
        assert world.engine.of(SEARCH) is None
        state = world.state()
        assert world.sizes.to_measure(state) is not None
        world.sizes.lost(state)
    assert world.engine.of(SEARCH) == "solo"
    assert world.sizes.of(world.state(), SEARCH) == 1


SOLITARY = {"weighting": "tests.toy:Solitary", "stages": [{"lr": [0.01]}]}
ALONE = "tests.toy:Solitary"


def of_two_kinds(storage: Storage, *, streamed: bool = False, **options: Any) -> World:
    world = World(storage, searches=[GRID, SOLITARY], **options)
    world.engine.settle("code", NetworkFacts(convolutional=False, obstacle="", streamed=streamed))
    return world


def test_a_search_that_is_never_stacked_gets_single_runs_beside_stacks(storage: Storage) -> None:
    world = of_two_kinds(storage)
    state = world.calibrated(size=9)
    assert world.sizes.to_measure(state) is None
    assert (world.sizes.of(state, SEARCH), world.sizes.of(state, ALONE)) == (9, 1)
    assert world.sizes.alone_s(state, SEARCH) == world.sizes.alone_s(state, ALONE) == 3.0
    assert world.sizes.in_packs(SEARCH)
    assert not world.sizes.in_packs(ALONE)


def test_where_data_is_streamed_packs_of_both_engines_are_timed(storage: Storage) -> None:
    world = of_two_kinds(storage, streamed=True)
    state = world.calibrated(size=9)
    wanted = world.sizes.to_measure(state)
    assert wanted is not None
    assert (wanted.engine, wanted.most) == ("solo", MOST_IN_STEP)
    world.sizes.measured(state, answer(wanted, 4))
    assert world.sizes.to_measure(state) is None
    assert (world.sizes.of(state, SEARCH), world.sizes.of(state, ALONE)) == (9, 4)


@pytest.mark.parametrize(("engine", "sizes"), [("fused", (4, 4)), ("solo", (9, 2))])
def test_packs_of_the_other_engine_stay_as_large_as_they_were(
    storage: Storage, engine: Engine, sizes: tuple[int, int]
) -> None:
    world = of_two_kinds(storage, streamed=True, device="cuda")
    state = world.calibrated(size=9)
    world.calibrated(state, size=4)
    world.sizes.halve(fallen(sizes[0] * 2 if engine == "fused" else 4, engine), "fell")
    assert (world.sizes.of(state, SEARCH), world.sizes.of(state, ALONE)) == sizes
    assert rows_of(world) == sizes[0]


def test_what_costs_more_than_its_losses_is_in_no_pack(storage: Storage) -> None:
    searches = [GRID, SOLITARY, {"weighting": "pcgrad", "stages": [{"lr": [0.01]}]}]
    world = World(storage, searches=searches)
    world.engine.settle("code", NetworkFacts(convolutional=False, obstacle="", streamed=True))
    state = world.calibrated(world.calibrated(size=9), size=4)
    assert world.sizes.to_measure(state) is None
    assert [world.sizes.of(state, name) for name in (SEARCH, ALONE, "pcgrad")] == [9, 4, 1]
    assert not world.sizes.in_packs("pcgrad")


def test_packs_of_the_solo_engine_are_not_timed_for_what_is_in_none(storage: Storage) -> None:
    world = World(storage, searches=[GRID, {"weighting": "pcgrad", "stages": [{"lr": [0.01]}]}])
    world.engine.settle("code", NetworkFacts(convolutional=False, obstacle="", streamed=True))
    assert world.sizes.to_measure(world.calibrated(size=9)) is None
