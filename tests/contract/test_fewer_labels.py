"""`train_fraction`: some tasks keep the labels of a part of the training samples only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from tests.contract.engine_repeating import by_epoch
from tests.contract.fused_cases import fused
from tests.contract.test_fused import assert_alike
from tests.packs import a_job, a_pack, told
from tests.toy import TASKS, Toy
from trainers.engines import Session, one_epoch, open_session, train
from trainers.errors import TaskMismatch
from trainers.jobs import ProblemRef, Training
from trainers.problems import TensorSource, build, card_of, names
from trainers.problems._fewer_labels import FewerLabels, n_labelled
from trainers.problems._some_tasks import SomeTasks
from trainers.problems.errors import BadOption, BadShape
from trainers.protocol import TaskFunctions
from trainers.randomness import Key

pytestmark = pytest.mark.usefixtures("one_thread")

ENGINES = {"solo": train, "fused": fused}
FEWER = FewerLabels(Toy(dropout=0.25), {"level": 0.25, "kind": 0.5})
"""Of twelve samples, three with a level and six with a class."""


@dataclass(frozen=True, kw_only=True)
class Streamed(Toy):
    """Its batches are made as they are asked for."""

    def sources(self, device: torch.device) -> Mapping[str, Any]:
        return {split: _Made(source) for split, source in super().sources(device).items()}


class _Made:
    streamed = True

    def __init__(self, source: TensorSource) -> None:
        self.size, self.batches = source.size, source.batches


@dataclass(frozen=True, kw_only=True)
class Own(Toy):
    """One task with a loss, a count or a type of targets of its own."""

    loss: Callable[[Tensor, Tensor], Tensor] | None = None
    counts: Callable[[Tensor], Tensor] | None = None
    whole: torch.dtype | None = None

    def functions(self, task: str) -> TaskFunctions:
        usual = super().functions(task)
        if task != "level":
            return usual
        return replace(usual, loss=self.loss or usual.loss, valid_elements=self.counts)

    def sources(self, device: torch.device) -> Mapping[str, TensorSource]:
        found = dict(super().sources(device))
        if self.whole is not None:
            train = found["train"]
            level = {**train.targets, "level": train.targets["level"].to(self.whole)}
            found["train"] = TensorSource(train.inputs, level)
        return found


def batch_of_all(session: Session) -> Mapping[str, Any]:
    (batch,) = session.sources["train"].batches(None, 12, Key("t"))
    return batch.targets


def test_labels_are_missing_and_samples_are_not() -> None:
    session, whole = open_session(FEWER, "cpu"), open_session(Toy(), "cpu")
    assert session.sources["train"].size == 12
    found, before = batch_of_all(session), batch_of_all(whole)
    there = ~found["level"].isnan()
    assert int(there.sum()) == 3
    assert torch.equal(found["level"][there], before["level"][there])
    assert int((found["kind"] != -1).sum()) == 6
    assert torch.equal(found["flag"], before["flag"])
    for split in ("validation", "test"):
        (judged,) = session.sources[split].batches(None, 8, Key("t"))
        assert not judged.targets["level"].isnan().any()


def test_an_order_finds_the_labels_of_its_samples() -> None:
    session = open_session(FEWER, "cpu")
    stored, order = batch_of_all(session), torch.randperm(12)
    batches = [*session.sources["train"].batches(order, 5, Key("t"))]
    for task in TASKS:
        found = torch.cat([batch.targets[task] for batch in batches])
        torch.testing.assert_close(found, stored[task][order], equal_nan=True, rtol=0, atol=0)


@given(st.integers(1, 500), st.floats(0.001, 0.999), st.floats(0.001, 0.999))
def test_a_smaller_share_is_part_of_a_larger_one(n: int, one: float, other: float) -> None:
    less, more = (
        {*FewerLabels(Toy(), {"level": share}).labelled("level", n).tolist()}
        for share in sorted([one, other])
    )
    assert less <= more <= {*range(n)}
    assert less


@pytest.mark.parametrize(
    ("share", "n", "kept"), [(0.1, 1_000, 100), (0.1, 5, 1), (0.3, 10, 3), (1e-6, 7, 1)]
)
def test_a_share_is_rounded_up_as_it_is_written(share: float, n: int, kept: int) -> None:
    assert n_labelled(share, n) == kept


def test_tasks_draw_their_labels_apart() -> None:
    fewer = FewerLabels(Toy(), {"level": 0.5, "kind": 0.5})
    assert {*fewer.labelled("level", 100).tolist()} != {*fewer.labelled("kind", 100).tolist()}


def test_a_task_alone_is_trained_on_its_labelled_samples_for_as_many_steps() -> None:
    session, training = open_session(FEWER, "cpu"), Training(epochs=1, batch_size=5)
    kept = {*FEWER.labelled("level", 12).tolist()}
    orders = [one_epoch.order(session, training, Key("7"), e, ("level",)).tolist() for e in (1, 2)]
    for order in orders:
        assert len(order) == 12
        assert [{*order[start : start + 3]} for start in range(0, 12, 3)] == [kept] * 4
    assert orders[0] != orders[1]
    for others in (("flag",), TASKS, ("level", "kind")):
        found = one_epoch.order(session, training, Key("7"), 1, others).tolist()
        assert sorted(found) == [*range(12)]


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_runs_of_all_kinds_go_through_as_they_would_alone(engine: Any) -> None:
    jobs = (
        a_job(1),
        a_job(2, "uw"),
        a_job(3, tasks=("level",)),
        a_job(4, tasks=("level",), lr=0.02),
        a_job(5, tasks=("flag",)),
        a_job(6, tasks=("flag",), lr=0.02),
        a_job(7, "uw", lr=0.02),
        a_job(8, lr=0.02),
    )
    together = told(engine(a_pack(*jobs), open_session(FEWER, "cpu")))
    assert {run.end.outcome for run in together.values()} == {"done"}
    pairs = ((0, 7), (1, 6), (2, 3), (4, 5))
    apart = {
        run: found
        for places in pairs
        for run, found in told(
            engine(a_pack(*(jobs[place] for place in places)), open_session(FEWER, "cpu"))
        ).items()
    }
    assert by_epoch(together) == by_epoch(apart)


def test_both_engines_give_the_same_numbers(float64: None) -> None:
    assert_alike(a_pack(a_job(1), a_job(2, "uw-so"), a_job(3, "gls")), FEWER, rel=1e-12)
    single = a_job(4, tasks=("level",))
    assert_alike(a_pack(single, replace(single, run=5, lr=0.01)), FEWER, rel=1e-12)


def test_streamed_batches_of_one_task_are_not_those_of_others() -> None:
    shares = {"level": 0.25}
    jobs = (a_job(1), a_job(2, tasks=("level",)), a_job(3, tasks=("flag",)))
    memory, streamed = (
        by_epoch(told(train(a_pack(*jobs), open_session(FewerLabels(of, shares), "cpu"))))
        for of in (Toy(), Streamed())
    )
    assert streamed == memory


def test_the_card_says_which_labels_are_there() -> None:
    plain, fewer = Toy().card, FEWER.card
    assert fewer.data_version != plain.data_version
    assert fewer.data_version != FewerLabels(Toy(), {"level": 0.25}).card.data_version
    assert "3 of task level, 6 of task kind" in fewer.caveats[-1]


WITHOUT_LABELS = ["scaled-losses", "two-valleys"]


@pytest.mark.parametrize("name", WITHOUT_LABELS)
def test_a_problem_without_labels_is_refused_before_it_is_trained(name: str) -> None:
    with pytest.raises(BadOption, match=f"`train_fraction` .*`{name}`"):
        card_of(ProblemRef(target=name, train_fraction={"first": 0.5}))


def test_all_tasks_of_all_problems_can_have_fewer_labels() -> None:
    for name in {*names()} - {*WITHOUT_LABELS} - {"table"}:  # whose tasks are known by its file
        problem = build(ProblemRef(target=name))
        fewer = FewerLabels(problem, dict.fromkeys(problem.card.task_names, 0.5))
        for task in problem.card.task_names:
            assert fewer.functions(task).valid_elements is not None, (name, task)


def test_an_unknown_task_is_refused_by_name() -> None:
    with pytest.raises(BadOption, match=r"level, kind, flag. Got `levle`. Did you mean `level`"):
        FewerLabels(Toy(), {"levle": 0.5})


def _mean(output: Tensor, target: Tensor) -> Tensor:
    return functional.mse_loss(output.squeeze(-1), target)


@pytest.mark.parametrize(
    ("own", "error", "said"),
    [
        (Own(loss=_mean), BadOption, "has one of its own and no `valid_elements`"),
        (Own(counts=lambda of: of.new_tensor(len(of))), BadOption, "9 of 9 missing labels"),
        (Own(whole=torch.bool), BadShape, "torch.bool, in which nothing can be missing"),
        (Own(whole=torch.uint8), BadShape, "torch.uint8, in which nothing can be missing"),
    ],
)
def test_what_cannot_be_missing_is_refused(own: Own, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        batch_of_all(open_session(FewerLabels(own, {"level": 0.25}), "cpu"))


@pytest.mark.parametrize("tasks", [(), ("level", "flag")])
def test_a_loss_of_ones_own_is_refused_as_the_card_is_read(tasks: tuple[str, ...]) -> None:
    ref = ProblemRef(target=f"{__name__}:Own", options={"loss": _mean}, tasks=tasks)
    assert card_of(replace(ref, train_fraction={"flag": 0.5}))
    with pytest.raises(BadOption, match="has one of its own and no `valid_elements`"):
        card_of(replace(ref, train_fraction={"level": 0.5}))


@dataclass(frozen=True, kw_only=True)
class Lacking(Toy):
    """A problem that has few labels by itself."""

    has: tuple[int, ...] = (1, 4, 7, 9)

    def labelled_samples(self, n_samples: int) -> Mapping[str, Tensor]:
        assert n_samples == 12
        return {"level": torch.tensor(self.has), "kind": torch.arange(3)}


def test_a_problem_says_itself_which_samples_have_a_label() -> None:
    assert open_session(Lacking(), "cpu").trained_on(("level",)) == "level"
    some = open_session(SomeTasks(Lacking(), ("level", "flag")), "cpu")
    assert {task: of.tolist() for task, of in some.labelled.items()} == {"level": [1, 4, 7, 9]}
    kept = open_session(FewerLabels(Lacking(), {"level": 0.5}), "cpu").labelled
    drawn = FewerLabels(Toy(), {"level": 0.5}).labelled("level", 12).tolist()
    assert {*kept["level"].tolist()} == {*drawn} & {1, 4, 7, 9}
    assert kept["kind"].tolist() == [0, 1, 2]


def test_labels_that_are_not_there_are_refused() -> None:
    drawn = FewerLabels(Toy(), {"level": 0.1}).labelled("level", 12).tolist()
    others = tuple({*range(12)} - {*drawn})
    with pytest.raises(BadOption, match=r"Of 12 samples 10 have one of task level, and 0\.1 keep"):
        open_session(FewerLabels(Lacking(has=others), {"level": 0.1}), "cpu")
    for has in ((12,), (-1,), (), (0.5,)):
        with pytest.raises(TaskMismatch, match="int64 numbers from 0 to 11"):
            open_session(Lacking(has=has), "cpu")


def test_a_loss_of_ones_own_that_leaves_missing_labels_out_is_taken() -> None:
    def of_valid(output: Tensor, target: Tensor) -> Tensor:
        there = ~target.isnan()
        return _mean(output[there], target[there])

    own = Own(loss=of_valid, counts=lambda of: (~of.isnan()).sum())
    pack = a_pack(a_job(1), a_job(2, tasks=("level",)))
    ends = told(train(pack, open_session(FewerLabels(own, {"level": 0.25}), "cpu")))
    assert {run.end.outcome for run in ends.values()} == {"done"}
