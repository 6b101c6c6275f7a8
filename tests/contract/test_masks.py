"""Tasks without a valid element in a batch are left out of it, in both engines."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.engine_repeating import by_epoch, resumed, trained
from tests.contract.fused_cases import fused, mixed_jobs
from tests.contract.test_fused import assert_alike, each_weighting
from tests.packs import EPOCHS, OF_LOSSES, Engine, Values, a_job, a_pack, told
from tests.partly import Partly
from tests.toy import TASKS, Toy
from trainers.engines import Session, open_session, promises, train
from trainers.events import Event
from trainers.jobs import Pack
from trainers.problems import TensorSource, valid_elements
from trainers.protocol import TaskFunctions
from trainers.reading import ReadAhead
from trainers.weightings import names

pytestmark = pytest.mark.usefixtures("one_thread")

ENGINES = {"solo": train, "fused": fused}
CHOSEN = {"batch_size": 4, "eval_batch_size": 3, "clip_norm": 0.5}
"""Three batches of an epoch and of a split, some without classes or levels."""


@dataclass(frozen=True, kw_only=True)
class Counting(Toy):
    """Counts what is always there."""

    def functions(self, task: str) -> TaskFunctions:
        return replace(super().functions(task), valid_elements=valid_elements)


@pytest.mark.parametrize(("half", "optimizer"), [(0, "sgd"), (1, "adamw")])
def test_both_engines_give_the_same_numbers(float64: None, half: int, optimizer: str) -> None:
    pack = a_pack(*each_weighting()[half::2], optimizer=optimizer, **CHOSEN)
    assert_alike(pack, Partly(dropout=0.25), rel=1e-12)


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_a_loss_that_is_no_number_where_its_task_is_absent_poisons_nothing(engine: Engine) -> None:
    runs = trained(engine, a_pack(*each_weighting(), **CHOSEN), Partly())
    assert {run.end.outcome for run in runs.values()} == {"done"}
    unmasked = trained(engine, a_pack(a_job(), **CHOSEN), Partly(counts=False))
    assert unmasked[1].end.outcome == "diverged"


@pytest.mark.parametrize("name", [name for name in names() if name not in OF_LOSSES])
def test_methods_beyond_losses_go_on_from_where_they_were(name: str, tmp_path: Path) -> None:
    pack = a_pack(a_job(1, name), checkpoints=tmp_path, **CHOSEN)
    half = trained(train, replace(pack, until_epoch=2), Partly())
    whole = by_epoch(half, trained(train, resumed(pack, half), Partly()))
    assert list(whole[1]) == [1, 2, 3]
    assert whole == by_epoch(trained(train, pack, Partly()))


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_counting_what_is_always_there_changes_no_bit(engine: Engine) -> None:
    pack = a_pack(*each_weighting()[::2], **CHOSEN)
    counted, plain = (trained(engine, pack, problem) for problem in (Counting(), Toy()))
    assert by_epoch(counted) == by_epoch(plain)


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_pausing_at_every_epoch_changes_no_bit(engine: Engine, tmp_path: Path) -> None:
    pack = a_pack(*each_weighting()[::2], epochs=3, checkpoints=tmp_path, **CHOSEN)
    problem = Partly(dropout=0.25)
    parts = [trained(engine, replace(pack, until_epoch=1), problem)]
    for epoch in (2, 3):
        going_on = resumed(replace(pack, until_epoch=epoch), parts[-1])
        parts.append(trained(engine, going_on, problem))
    assert by_epoch(*parts) == by_epoch(trained(engine, pack, problem))


@cache
def of_all_jobs() -> dict[int, dict[int, Values]]:
    """All runs in one stack."""
    return by_epoch(trained(fused, a_pack(*mixed_jobs(), **CHOSEN), Partly()))


@settings(max_examples=6)
@given(data=st.data())
def test_a_run_has_the_same_bits_in_any_pack(data: st.DataObject) -> None:
    jobs = data.draw(st.permutations(mixed_jobs()))[: data.draw(st.integers(1, 12))]
    whole = of_all_jobs()
    found = by_epoch(trained(fused, a_pack(*jobs, **CHOSEN), Partly()))
    assert found == {job.run: whole[job.run] for job in jobs}


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_means_are_over_the_batches_that_had_elements(engine: Engine, float64: None) -> None:
    """Of a network that does not change, one sample a batch: the mean over the labelled samples."""
    pack = a_pack(a_job(lr=0.0, name="uw"), batch_size=1, epochs=1)
    values = trained(engine, pack, Partly())[1].epochs[1]
    whole = trained(engine, replace(pack, training=replace(pack.training, batch_size=12)), Partly())
    for task in TASKS:
        of_whole = whole[1].epochs[1]["train", task, "loss"]
        assert values["train", task, "loss"] == pytest.approx(of_whole, rel=1e-12)
        assert values["train", task, "weight"] == pytest.approx(math.exp(-1.0) / 2)


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_evaluation_is_of_the_splits_valid_elements_in_any_batches(engine: Engine) -> None:
    sizes = [1, 3, 8]
    found = [
        trained(engine, a_pack(a_job(), epochs=1, eval_batch_size=size), Partly())[1].epochs[1]
        for size in sizes
    ]
    for values in found[1:]:
        assert values == pytest.approx(found[0], rel=1e-6)


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_a_task_that_is_absent_for_an_epoch_has_no_train_values_in_it(engine: Engine) -> None:
    jobs = [a_job(run, name) for run, name in enumerate(OF_LOSSES, start=1)]
    runs = trained(engine, a_pack(*jobs, **CHOSEN), Partly(bare="train"))
    for run in runs.values():
        assert run.end.outcome == "done"
        for values in run.epochs.values():
            assert {task for split, task, _ in values if split == "train"} == {"level", "flag"}
            assert ("validation", "kind", "loss") in values


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_validation_data_without_a_task_is_refused_in_a_sentence(engine: Engine) -> None:
    end = trained(engine, a_pack(a_job(), **CHOSEN), Partly(bare="validation"))[1].end
    assert (end.outcome, end.failure) == ("failed", "TaskMismatch")
    assert "Of task kind it has none: `valid_elements` was 0 in every batch." in end.reason


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_test_data_without_a_task_decides_nothing(engine: Engine) -> None:
    run = trained(engine, a_pack(a_job(), **CHOSEN), Partly(bare="test"))[1]
    assert run.end.outcome == "done"
    assert run.curve("test", "kind", "loss") == [math.inf] * EPOCHS
    assert run.curve("test", "kind", "error") == [math.inf] * EPOCHS


def test_a_batch_that_says_nothing_is_a_step_with_gradient_0(float64: None) -> None:
    """Without momentum and decay, it changes nothing."""
    pack = a_pack(a_job(tasks=("kind",)), optimizer="sgd", momentum=0.0, epochs=1, batch_size=12)
    start = trained(train, pack, Partly(bare="train"))[1].epochs[1]
    still = replace(pack, jobs=(a_job(tasks=("kind",), lr=0.0),))
    assert start == trained(train, still, Partly(bare="train"))[1].epochs[1]


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_what_is_read_ahead_is_left_out_alike(engine: Engine) -> None:
    def ahead(pack: Pack, session: Session) -> Iterator[Event]:
        read = {name: ReadAhead(of, session.device) for name, of in session.sources.items()}
        return engine(pack, replace(session, sources=read))

    pack = a_pack(*each_weighting()[1::2], **CHOSEN)
    assert by_epoch(trained(ahead, pack, Partly())) == by_epoch(trained(engine, pack, Partly()))


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_looks_and_canaries_see_nothing_wrong(engine: Engine) -> None:
    session = open_session(Partly(), "cpu")
    assert {promise.name: promise.found for promise in promises(session) if promise.found} == {}
    jobs = mixed_jobs()[:6]
    pack = replace(a_pack(*jobs, **CHOSEN), canaries={job.run: 1e9 for job in jobs})
    assert {run.end.outcome for run in told(engine(pack, session)).values()} == {"done"}


@dataclass(frozen=True, kw_only=True)
class Disjoint(Toy):
    """Two data sets in one: half of the samples have a level, the others a class.

    Attributes:
        counts: Tasks count their valid elements.
    """

    counts: bool = True

    def sources(self, device: torch.device) -> Mapping[str, TensorSource]:
        found = super().sources(device)
        return {split: _disjoint(source) for split, source in found.items()}

    def functions(self, task: str) -> TaskFunctions:
        usual = super().functions(task)
        return replace(usual, valid_elements=valid_elements) if self.counts else usual


def _disjoint(source: TensorSource) -> TensorSource:
    odd = torch.arange(source.size) % 2 == 1
    level = source.targets["level"].masked_fill(odd, torch.nan)
    return TensorSource(
        source.inputs, {"level": level, "kind": source.targets["kind"].masked_fill(~odd, -1)}
    )


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_weightings_by_inverse_losses_learn_from_labels_that_never_meet(engine: Engine) -> None:
    hypers = {"uw-so": {"temperature": 1.0}, "uw-o": {"normalise": 1.0}, "gls": {}}
    jobs = [
        a_job(run, name, tasks=("level", "kind"), hyper=hyper, lr=0.2)
        for run, (name, hyper) in enumerate(hypers.items(), start=1)
    ]
    pack = a_pack(*jobs, optimizer="sgd", momentum=0.0, epochs=5, batch_size=1)
    counted, uncounted = (
        [
            curve[-1] / curve[0]
            for run in trained(engine, pack, Disjoint(counts=counts)).values()
            for curve in (run.curve("test", task, "loss") for task in ("level", "kind"))
        ]
        for counts in (True, False)
    )
    assert len(counted) == len(uncounted) == 2 * len(hypers)
    assert max(counted) < 0.75
    assert min(uncounted) > 0.99
