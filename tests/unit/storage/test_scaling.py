"""The work of a step does not grow with the number of runs.

Work is what SQLite's virtual machine does: its instructions are counted, which no other load on
the machine changes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage import Reader, RunState
from storage.changes import Following
from storage.limits import Limit, Limits
from storage.planning.writing import now
from storage.records import CheckpointRecord, EpochRecord, Spent
from tests.contract.storage_bench import SEARCHES, Bench, end, epoch

_FEW, _MANY = 300, 8_000
_OTHERS = "others"  # the search that grows, beside "ew", which stays small
_STRIDE = 10  # instructions between two counts

# the other search's trials, runs and attempts have the same ids, from 1001
_FILL = (
    """INSERT INTO trials (id, search_id, number, params)
       WITH RECURSIVE ids (id) AS
         (SELECT 1001 UNION ALL SELECT id + 1 FROM ids WHERE id < 1000 + :n)
       SELECT id, :search, id, CAST(id AS TEXT) FROM ids""",
    """INSERT INTO proposals (search_id, stage, number, round, trial_id, standing)
       SELECT search_id, 0, id, 0, id, 1 FROM trials WHERE id > 1000""",
    """INSERT INTO runs (id, study_id, search_id, trial_id, trial_number, role, seed, run_key,
                         pack_key, state, planned, queue_rank, epochs_planned, token)
       SELECT id, :study, search_id, id, id, 'search', 0, CAST(id AS TEXT), 'pack ' || id % 100,
              CASE id % 2 WHEN 1 THEN 'done' ELSE 'waiting' END, 1, 5, 3, id % 2
       FROM trials WHERE id > 1000""",
    """INSERT INTO attempts (id, study_id, run_id, worker_id, token, kind, state, started_at)
       SELECT id, :study, id, :worker, 1, 'run', 'finished', :at
       FROM runs WHERE id > 1000 AND token = 1""",
    """INSERT INTO epochs (run_id, epoch, attempt_id)
       SELECT id, 1, id FROM attempts WHERE id > 1000""",
    """INSERT INTO epoch_values (run_id, epoch, series_id, value)
       SELECT run_id, epoch, (SELECT min(id) FROM series), 0.5 FROM epochs WHERE run_id > 1000""",
    """INSERT INTO scores (run_id, baseline_hash, epoch_selected, value_val, value_test)
       SELECT run_id, 'b1', 1, -1.0, -1.0 FROM epochs WHERE run_id > 1000""",
)


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A study with many runs, and the count of what is done to its database."""

    bench: Bench
    ticks: list[None]

    def instructions(self, work: Callable[[Bench], object]) -> int:
        work(self.bench)  # the first time reads the schema and the series
        self.ticks.clear()
        work(self.bench)
        return len(self.ticks) * _STRIDE


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counted]:
    yield from _counted(tmp_path_factory.mktemp("few"), _FEW)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counted]:
    yield from _counted(tmp_path_factory.mktemp("many"), _MANY)


def _claim(bench: Bench) -> None:
    assert len(bench.claim(4)) == 4


def _claim_within_limits(bench: Bench) -> None:
    assert len(bench.claimed(4, limits=Limits(study=Limit(epochs=10**9, money=1e9))).claims) == 4


def _claim_beside_a_search_at_its_limit(bench: Bench) -> None:
    limits = Limits(searches={bench.search(_OTHERS): Limit(epochs=1)})
    claimed = bench.claimed(4, limits=limits)
    assert len(claimed.claims) == 4
    assert list(claimed.barred) == [bench.search(_OTHERS)]


def _renew(bench: Bench) -> None:
    claims = bench.claim(2)
    bench.storage.renew(bench.holder_id, [claim.run for claim in claims], lease_s=60)


def _record(bench: Bench) -> None:
    claim = bench.claim_one()
    saved = CheckpointRecord(
        run=claim.run, token=claim.token, epoch=2, path="p", size_bytes=1, spent=Spent()
    )
    bench.storage.record([epoch(claim, 1, 0.1, 0.1), epoch(claim, 2, 0.1, 0.1), saved])
    bench.storage.record([end(claim)])


def _release_and_claim_again(bench: Bench) -> None:
    claim = bench.claim_one()
    bench.storage.record([end(claim, RunState.WAITING)])
    bench.claim_one()


def _take_back(bench: Bench) -> None:
    bench.claim(3)
    assert bench.take_back(bench.holder) >= 3


def _busy_searches(bench: Bench) -> None:
    assert bench.search() in bench.storage.busy_searches(bench.study.id)


def _paused_searches(bench: Bench) -> None:
    assert not bench.storage.paused_searches(bench.study.id)


def _tidy_checkpoints(bench: Bench) -> None:
    claim = bench.claim_one()
    saved = CheckpointRecord(
        run=claim.run, token=claim.token, epoch=1, path="q", size_bytes=1, spent=Spent()
    )
    bench.storage.record([saved])
    files = bench.storage.checkpoint_files(bench.study.id)
    bench.storage.forget_checkpoints([file.path for file in files])


def _first_changes(bench: Bench) -> None:
    changes = Following(bench.storage._database).changes("demo", limit=10)
    assert len(changes.runs) + len(changes.decisions) + len(changes.attempts) >= 10


_followed: dict[int, str] = {}  # cursors by study, behind all that was told


def _follow(bench: Bench) -> None:
    """Change a little, and ask for what is new; the first time all there was is read."""
    claim = bench.claim_one()
    bench.storage.record([epoch(claim, 1, 0.1, 0.1), end(claim)])
    told: list[int] = []
    more = True
    while more:
        changes = Following(bench.storage._database).changes(
            "demo", _followed.get(id(bench), ""), limit=10_000
        )
        _followed[id(bench)], more = changes.cursor, changes.more
        told += [run.run for run in changes.runs]
    assert claim.run in told


def _selected_epochs_of_two_runs(bench: Bench) -> None:
    _, values = Reader.epochs(bench.storage, "demo", split="train", runs=[1001, 1003], last=1)  # type: ignore[arg-type]
    assert len(values) == 2


def _view(name: str, where: str) -> Callable[[Bench], None]:
    """Ask a view for one run or one search, as people do."""

    def ask(bench: Bench) -> None:
        with bench.storage._database.read() as connection:
            assert connection.exec_driver_sql(f"SELECT * FROM {name} WHERE {where}").all()

    return ask


_STEPS: dict[str, Callable[[Bench], object]] = {
    "claim": _claim,
    "claim within limits": _claim_within_limits,
    "claim beside a search at its limit": _claim_beside_a_search_at_its_limit,
    "renew": _renew,
    "record": _record,
    "release": _release_and_claim_again,
    "take back": _take_back,
    "tidy checkpoints": _tidy_checkpoints,
    "first changes": _first_changes,
    "follow": _follow,
    "busy searches": _busy_searches,
    "paused searches": _paused_searches,
    "history of a small search": lambda bench: bench.outcomes(),
    "a run's table": lambda bench: bench.storage.run_table(1),
    "selected epochs of two runs": _selected_epochs_of_two_runs,
    "run_results of a run": _view("run_results", "run = 1"),
    "run_results of a search": _view("run_results", "study = 'demo' AND search = 'ew'"),
    "epoch_metrics of a run": _view("epoch_metrics", "run = 1"),
    "attempt_costs of a run": _view("attempt_costs", "run = 1"),
    "stage_trials of a search": _view("stage_trials", "study = 'demo' AND search = 'ew'"),
}


@pytest.mark.parametrize("name", _STEPS)
def test_the_work_does_not_grow(few: Counted, many: Counted, name: str) -> None:
    at_few = few.instructions(_STEPS[name])
    at_many = many.instructions(_STEPS[name])
    assert at_many <= 1.25 * at_few + 100


def _record_new_metrics(n: int) -> Callable[[Bench], None]:
    """Report an epoch of n metrics, none of which any run has had before."""
    names = itertools.count()

    def report(bench: Bench) -> None:
        claim = bench.claim_one()
        values = tuple(("train", "a", f"{n} {next(names)}", 1.0) for _ in range(n))
        told = EpochRecord(run=claim.run, token=claim.token, epoch=1, values=values, spent=Spent())
        bench.storage.record([told, end(claim)])

    return report


def test_each_new_metric_costs_the_same(few: Counted) -> None:
    at_few = few.instructions(_record_new_metrics(100))
    at_many = few.instructions(_record_new_metrics(1000))
    assert at_many <= 12 * at_few


def _counted(folder: Path, n: int) -> Iterator[Counted]:
    bench = Bench(f"sqlite:///{folder / 'study.db'}")
    bench.study = bench.save(searches=(*SEARCHES, (_OTHERS, "search", "ew")))
    _plan_the_small_search(bench)
    _fill(bench, n)
    ticks: list[None] = []
    pooled = bench.storage._database.engine.raw_connection()
    pooled.driver_connection.set_progress_handler(lambda: ticks.append(None), _STRIDE)
    pooled.close()
    yield Counted(bench=bench, ticks=ticks)
    bench.storage.close()


def _plan_the_small_search(bench: Bench) -> None:
    bench.plan(*map(str, range(100)), rank=9)
    for claim in bench.claim(3):
        bench.train(claim, (0.5, 0.5), (0.4, 0.4), (0.3, 0.3))


def _fill(bench: Bench, n: int) -> None:
    """Add n runs of another search: half of them finished with all their rows, half waiting."""
    values = {"study": bench.study.id, "search": bench.search(_OTHERS), "n": n}
    values |= {"worker": bench.worker_id, "at": now().isoformat()}
    with bench.storage._database.write() as connection:
        for statement in _FILL:
            connection.execute(sa.text(statement), values)
