"""What comparing gradients promises on both engines: it changes no run, and it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.contract.fused_cases import Normed
from tests.packs import a_job, a_pack, a_session, told, two_jobs
from tests.toy import Toy
from trainers.engines import train
from trainers.events import EpochDone
from trainers.gradients import GradientDiagnostics, PairStatistics
from trainers.jobs import Pack
from trainers.protocol import TaskFunctions

pytestmark = pytest.mark.usefixtures("one_thread")
ENGINES = ["solo", "fused"]


def _pack(engine: Any, **changes: Any) -> Pack:
    pack = a_pack(*two_jobs("uw"), a_job(3, tasks=("kind",)), epochs=2, batch_size=5, **changes)
    return replace(pack, engine=engine)


def _compared(pack: Pack, problem: Toy, **wanted: int) -> list[EpochDone]:
    asked = replace(pack, gradients=GradientDiagnostics(**wanted))
    return _epochs(asked, problem)


def _epochs(pack: Pack, problem: Toy) -> list[EpochDone]:
    return [event for event in train(pack, a_session(problem)) if isinstance(event, EpochDone)]


def _of(event: EpochDone, pairing: str, measure: str = "cosine") -> PairStatistics:
    (found,) = (of for of in event.conflicts if (of.pairing, of.measure) == (pairing, measure))
    return found


@pytest.mark.parametrize("engine", ENGINES)
class TestARun:
    @pytest.mark.parametrize("problem", [Toy(dropout=0.25), Normed(dropout=0.25)])
    def test_has_the_same_bits_with_and_without(self, engine: str, problem: Toy) -> None:
        plain = _epochs(_pack(engine), problem)
        compared = _compared(_pack(engine), problem, every=1, samples=4)
        assert [event.values for event in compared] == [event.values for event in plain]
        assert not any(event.conflicts for event in plain)

    def test_goes_on_from_the_same_state(self, engine: str, tmp_path: Any) -> None:
        saved = []
        for name, asked in (("plain", None), ("compared", GradientDiagnostics(every=1))):
            folder = tmp_path / name
            folder.mkdir()
            pack = _pack(engine, checkpoints=folder, checkpoint_s=0.0)
            told(train(replace(pack, gradients=asked), a_session(Normed())))
            saved.append([torch.load(file, weights_only=True) for file in sorted(folder.iterdir())])
        torch.testing.assert_close(saved[0], saved[1], rtol=0, atol=0)

    def test_is_looked_at_every_so_many_steps(self, engine: str) -> None:
        # steps of 5, 5 and 2 samples; 3 tasks
        (first, *_) = _compared(_pack(engine), Toy(), every=2, samples=4)
        assert _of(first, "tasks").n_pairs == 3 * (4 + 2)
        assert _of(first, "samples").n_pairs == 3 * (6 + 1)

    def test_of_one_task_has_pairs_of_samples_only(self, engine: str) -> None:
        *_, last = _compared(_pack(engine), Toy(), every=9, samples=3)
        assert {of.pairing for of in last.conflicts} == {"samples"}
        assert _of(last, "samples").n_pairs == 3

    def test_has_as_many_tasks_at_most_as_samples(self, engine: str) -> None:
        first, *_ = _compared(_pack(engine), Toy(), every=9, samples=2)
        assert _of(first, "tasks").n_pairs == 2

    def test_pays_for_it_apart(self, engine: str) -> None:
        plain, compared = _epochs(_pack(engine), Toy()), _compared(_pack(engine), Toy())
        assert not any(event.seconds.diagnostics_s for event in plain)
        assert all(event.seconds.diagnostics_s > 0 for event in compared)
        assert [event.grad_evals for event in compared] == [event.grad_evals for event in plain]


def test_both_engines_say_the_same(float64: None) -> None:
    solo, fused = (
        sorted(_compared(_pack(engine), Toy(), every=1), key=lambda of: (of.run, of.epoch))
        for engine in ENGINES
    )
    for one, other in zip(solo, fused, strict=True):
        for a, b in zip(one.conflicts, other.conflicts, strict=True):
            assert (a.mean, a.sd, a.low) == pytest.approx((b.mean, b.sd, b.low), abs=1e-9)


@dataclass(frozen=True, kw_only=True)
class Odd(Toy):
    """A toy with a trunk or a loss of its own."""

    layer: str = ""
    loss: str = ""

    def trunk(self) -> nn.Module:
        if self.layer == "frozen":
            return nn.Linear(3, 4).requires_grad_(requires_grad=False)
        return super().trunk()

    def functions(self, task: str) -> TaskFunctions:
        found = super().functions(task)
        if task != "level" or not self.loss:
            return found
        return replace(found, loss=_ranked if self.loss == "ranked" else _blind)


def _ranked(output: Tensor, target: Tensor) -> Tensor:
    """A loss of pairs of samples: of one sample alone there is none."""
    return (output - output.mT).square().mean() + 0 * target.sum()


def _blind(output: Tensor, target: Tensor) -> Tensor:
    """One that sees nothing of some samples, whose gradient is 0."""
    return ((output.squeeze(-1) - target).square() * (target > 0)).mean()


def _failures(problem: Toy) -> set[str]:
    pack = replace(_pack("solo"), gradients=GradientDiagnostics())
    return {run.end.reason for run in told(train(pack, a_session(problem))).values()}


class TestRefused:
    def test_are_losses_that_are_no_mean_over_samples(self) -> None:
        reasons = _failures(Odd(loss="ranked"))
        assert any("a loss must be a mean over samples" in reason for reason in reasons)

    def test_are_trunks_that_learn_nothing(self) -> None:
        reasons = _failures(Odd(layer="frozen"))
        assert all("this trunk has none that are trained" in reason for reason in reasons)


def test_pairs_with_a_gradient_of_0_are_left_out_and_counted() -> None:
    first, *_ = _compared(_pack("solo"), Odd(loss="blind"), every=1, samples=5)
    found: Mapping[str, PairStatistics] = {p: _of(first, p) for p in ("tasks", "samples")}
    assert all(of.n_left_out > 0 for of in found.values())
    assert found["tasks"].n_pairs + found["tasks"].n_left_out == 3 * 12
