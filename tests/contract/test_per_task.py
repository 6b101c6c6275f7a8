"""Optimisers of plugins that keep something per task, in both engines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.engine_repeating import by_epoch, resumed, trained
from tests.contract.fused_cases import fused, mixed_jobs
from tests.contract.test_fused import assert_alike, assert_near, each_weighting
from tests.packs import STEPS, Engine, Values, a_job, a_pack, told
from tests.partly import Partly
from tests.toy import TASKS, Toy
from trainers.engines import open_session, train
from trainers.errors import UnfitOptimizer
from trainers.events import EpochDone
from trainers.jobs import Training
from trainers.optimizers import _registry, optimizer, refuse_unless_fit

ENGINES = {"solo": train, "fused": fused}
MINE = ("task-adam", "task-momentum")
JOBS = each_weighting()[::2]
"""Of all kinds: what an optimiser keeps is the same for each weighting that learns nothing."""


@pytest.fixture(scope="module", autouse=True)
def plugins() -> Iterator[None]:
    """A distribution offers optimisers; one thread."""
    targets = {"task-adam": "TaskAdam", "task-momentum": "TaskMomentum"}
    entries = {
        name: EntryPoint(name, f"tests.optimizers:{target}", _registry.GROUP)
        for name, target in targets.items()
    }
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_registry, "offered_by_name", lambda _: entries)
        yield
    optimizer.cache_clear()
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", MINE)
@pytest.mark.parametrize("problem", [Toy(dropout=0.25), Partly()], ids=["toy", "partly"])
def test_both_engines_give_the_same_numbers(float64: None, name: str, problem: Toy) -> None:
    pack = a_pack(*JOBS, optimizer=name, batch_size=4, clip_norm=0.5, epochs=3)
    assert_alike(pack, problem, rel=1e-11)


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_a_momentum_for_each_task_is_one_for_all(engine: Engine, float64: None) -> None:
    jobs = [replace(job, weight_decay=0.0) for job in JOBS]
    found, expected = (
        by_epoch(trained(engine, a_pack(*jobs, optimizer=name, clip_norm=0.5)))
        for name in ("task-momentum", "sgd")
    )
    assert_near(found, expected, rel=1e-11)


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_adam_for_each_task_does_not_see_the_scale_of_its_loss(
    engine: Engine, float64: None
) -> None:
    """One Adam cancels the weights in heads only; in the trunk, gradients are summed before it."""

    def losses(name: str) -> list[list[float]]:
        scaled = [(0.98, 0.01, 0.01), (0.01, 0.49, 0.5)]
        jobs = [
            a_job(run, "scalarization", hyper={"task_weights": weights})
            for run, weights in enumerate(scaled)
        ]
        runs = trained(engine, a_pack(*jobs, optimizer=name))
        return [[run.curve("train", task, "loss")[-1] for task in TASKS] for run in runs.values()]

    first, second = losses("adatask")
    assert first == pytest.approx(second, rel=1e-4)
    first, second = losses("adam")
    assert first != pytest.approx(second, rel=1e-2)


@pytest.mark.parametrize("name", MINE)
@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_pausing_at_every_epoch_changes_no_bit(engine: Engine, name: str, tmp_path: Path) -> None:
    pack = a_pack(*JOBS, epochs=3, checkpoints=tmp_path, optimizer=name, clip_norm=0.5)
    parts = [trained(engine, replace(pack, until_epoch=1))]
    for epoch in (2, 3):
        parts.append(trained(engine, resumed(replace(pack, until_epoch=epoch), parts[-1])))
    assert by_epoch(*parts) == by_epoch(trained(engine, pack))


@pytest.mark.parametrize("engines", [(train, fused), (fused, train)], ids=["solo", "fused"])
def test_one_engine_goes_on_from_the_others_checkpoints(
    engines: tuple[Engine, Engine], float64: None, tmp_path: Path
) -> None:
    pack = a_pack(*JOBS, checkpoints=tmp_path, optimizer="task-adam")
    half = trained(engines[0], replace(pack, until_epoch=2))
    whole = by_epoch(half, trained(engines[1], resumed(pack, half)))
    assert_near(whole, by_epoch(trained(train, pack)), rel=1e-11)


CUT = {"optimizer": "task-adam", "batch_size": 5, "clip_norm": 0.5}


@cache
def of_all_jobs() -> dict[int, dict[int, Values]]:
    """All runs in one stack."""
    return by_epoch(trained(fused, a_pack(*mixed_jobs(), **CUT)))


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_run_has_the_same_bits_in_any_pack(data: st.DataObject) -> None:
    jobs = data.draw(st.permutations(mixed_jobs()))[: data.draw(st.integers(1, 12))]
    whole = of_all_jobs()
    found = by_epoch(trained(fused, a_pack(*jobs, **CUT)))
    assert found == {job.run: whole[job.run] for job in jobs}


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_what_is_declared_is_kept(engine: Engine, tmp_path: Path) -> None:
    pack = a_pack(a_job(1, "uw"), checkpoints=tmp_path, until_epoch=2, optimizer="task-adam")
    (saved,) = trained(engine, pack)[1].checkpoints
    state = torch.load(saved.checkpoint.path, weights_only=True)["runs"][1]
    kept, shapes = state["optimizer"]["state"], [p.shape for p in state["network"].values()]
    for place, shape in enumerate(shapes):
        assert kept[place]["exp_avg"].shape == (len(TASKS), *shape)
        assert kept[place]["path"].dtype == torch.float64
    learned = kept[len(shapes)]
    assert learned["exp_avg"].shape == (1, len(TASKS))
    assert learned["step"] == 2 * STEPS


def test_a_state_of_other_tasks_shapes_is_no_state_of_the_run(tmp_path: Path) -> None:
    pack = a_pack(a_job(1), checkpoints=tmp_path, until_epoch=2, optimizer="sgd")
    going_on = resumed(pack, trained(fused, pack))
    other = replace(going_on, training=replace(pack.training, optimizer="task-momentum"))
    (skipped,) = trained(fused, replace(other, until_epoch=4))[1].skipped
    assert "momentum_buffer of parameter 0 is (4, 3) and should be (3, 4, 3)" in skipped.reason


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_each_tasks_gradient_is_counted(engine: Engine) -> None:
    def costs(name: str) -> tuple[int, float]:
        pack = a_pack(a_job(1), optimizer=name, epochs=1)
        (event,) = [of for of in trained(engine, pack)[1].events if isinstance(of, EpochDone)]
        return event.grad_evals, event.flops

    (many, more_flops), (few, flops) = costs("adatask"), costs("adam")
    assert (many, few) == (len(TASKS) * STEPS, STEPS)
    assert more_flops > flops


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_a_canary_sees_nothing_wrong(engine: Engine) -> None:
    jobs = mixed_jobs()[:6]
    pack = replace(a_pack(*jobs, optimizer="task-adam"), canaries={job.run: 1e9 for job in jobs})
    runs = told(engine(pack, open_session(Toy(), "cpu")))
    assert {run.end.outcome for run in runs.values()} == {"done"}


@pytest.mark.parametrize(
    ("changes", "level", "found"),
    [
        ({"compile": True}, "loss", "`compile = true`"),
        ({"data_parallel": 2}, "loss", "`data_parallel = 2`"),
        ({}, "gradient", "a gradient-level weighting"),
    ],
)
def test_what_gives_no_gradient_of_each_task_is_refused(
    changes: dict[str, object], level: str, found: str
) -> None:
    for name in ("task-adam", "adatask"):
        training = Training(epochs=1, batch_size=1, optimizer=name, **changes)  # type: ignore[arg-type]
        with pytest.raises(UnfitOptimizer, match=f"`{name}` .* does not train with {found}. Drop"):
            refuse_unless_fit(level, training)
    refuse_unless_fit(level, replace(training, optimizer="adam"))
