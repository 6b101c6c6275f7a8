"""A small study made by hand, and what its views must hold."""

from __future__ import annotations

from dataclasses import replace

from storage import RunState
from storage.records import (
    Baseline,
    BaselineValue,
    CheckpointRecord,
    Ending,
    ExhibitRecord,
    PairStatistics,
    Spent,
)
from storage.scoring import Selection
from tests.contract.storage_bench import DELTA_M, PRIMARY, Bench, decision, end, epoch, reference

BASELINE = Baseline(
    hash="b1",
    source="trained",
    values=(
        BaselineValue(task="a", metric="error", split="test", value=0.2, params="p"),
        BaselineValue(task="a", metric="error", split="validation", value=0.2, params="p"),
        BaselineValue(task="b", metric="score", split="test", value=0.5, params="p"),
        BaselineValue(task="b", metric="score", split="validation", value=0.5, params="p"),
    ),
)


def make_demo(bench: Bench) -> None:
    """A baseline, and a search with a finished, a diverged, a failed and a waiting run.

    The finished run is killed after its first epoch and goes on in a second attempt.
    """
    bench.add_worker(startup_s=2.0)
    _train_baseline(bench)
    bench.propose("x", "y", "gone")
    bench.propose(retired=["gone"])
    bench.add_runs("x", "y", "gone")
    bench.propose("x", stage=1)
    _finish_in_two_attempts(bench)
    _diverge_in_the_second_epoch(bench)
    bench.storage.score(bench.study.id, DELTA_M, Selection(), reference=reference(BASELINE))
    bench.storage.decide(bench.search(), decision(0, "y", -1.0))
    bench.storage.decide(bench.search(), decision(0, "x", -12.5))
    bench.add_runs("y", seeds=(1,))
    claim = bench.claim_one()
    bench.storage.record([end(claim, RunState.FAILED, after=0, reason="it broke")])


def _train_baseline(bench: Bench) -> None:
    for search in ("stl/a", "stl/b"):
        bench.plan("p", search=search, rank=0, role="baseline")
        bench.train(bench.claim_one(), (0.2, 0.2))
        bench.storage.decide(bench.search(search), decision(0, "p", 0.2))
    bench.storage.score(bench.study.id, PRIMARY, Selection())
    bench.storage.set_baseline(bench.study.id, BASELINE)


def _finish_in_two_attempts(bench: Bench) -> None:
    first = bench.claim_one()
    spent = Spent(startup_s=1.0, train_s=2.0, validation_s=0.5, samples=8, grad_evals=4)
    bench.storage.record(
        [
            epoch(first, 1, 0.3, 0.3, spent=spent),
            CheckpointRecord(
                run=first.run,
                token=first.token,
                epoch=1,
                path="one.pt",
                size_bytes=100,
                spent=Spent(checkpoint_s=0.125),
            ),
            epoch(first, 2, 0.9, 0.9),
        ]
    )
    bench.take_back(bench.holder)
    second = bench.claim_one()
    compared = replace(
        epoch(second, 3, 0.25, 0.1), conflicts=[_conflicting("tasks"), _EMPTY], exhibits=[_TABLE]
    )
    bench.storage.record([epoch(second, 2, 0.15, 0.1), compared, end(second)])


def _conflicting(pairing: str) -> PairStatistics:
    return PairStatistics(
        pairing=pairing,
        measure="negative_cosine",
        n_pairs=4,
        n_left_out=1,
        mean=0.25,
        sd=0.5,
        low=0.0,
        median=0.0,
        high=1.0,
    )


_EMPTY = PairStatistics(pairing="samples", measure="negative_cosine", n_pairs=0, n_left_out=3)


_TABLE = ExhibitRecord(
    name="hits",
    kind="table",
    title="Hits",
    split="validation",
    each_epoch=False,
    content='{"columns":["a"],"rows":[[1]]}',
)


def _diverge_in_the_second_epoch(bench: Bench) -> None:
    claim = bench.claim_one()
    bench.storage.record(
        [
            epoch(claim, 1, 0.4, 0.4),
            Ending(
                run=claim.run,
                token=claim.token,
                state=RunState.DIVERGED,
                epoch=1,
                spent=Spent(train_s=4.0, grad_evals=1),
                reason="loss of a is nan",
            ),
        ]
    )
