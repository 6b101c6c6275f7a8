"""Which checkpoint files are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import RunState
from storage.records import CheckpointFile, CheckpointRecord, Claim, Spent
from study.running.retention import KEPT_A_RUN, Retention, superfluous
from tests.contract.storage_bench import Bench, end
from trainers.keeping import paths

OVER = (RunState.DONE, RunState.DIVERGED, RunState.PRUNED)
STATES = {1: RunState.LEASED, 2: RunState.WAITING, 3: RunState.FAILED, 4: RunState.DONE}


def a_row(run: int, epoch: int, size_bytes: int = 10, path: str = "") -> CheckpointFile:
    return CheckpointFile(
        path=path or f"run{run}-epoch{epoch}",
        size_bytes=size_bytes,
        run=run,
        state=STATES[run],
        epoch=epoch,
    )


ROWS = st.lists(
    st.builds(a_row, run=st.integers(1, 4), epoch=st.integers(1, 9), size_bytes=st.integers(1, 50)),
    unique_by=lambda row: row.path,
)


@given(rows=ROWS, cap_bytes=st.integers(0, 200))
def test_what_stays_is_within_both_limits(rows: list[CheckpointFile], cap_bytes: int) -> None:
    gone = superfluous(rows, cap_bytes=cap_bytes)
    stays = [row for row in rows if row.path not in gone]
    assert sum(row.size_bytes for row in stays) <= cap_bytes
    assert all(sum(row.run == run for row in stays) <= KEPT_A_RUN for run in STATES)


@given(rows=ROWS)
def test_under_the_cap_the_newest_two_of_each_open_run_stay(rows: list[CheckpointFile]) -> None:
    gone = superfluous(rows, cap_bytes=10_000)
    for run in (1, 2, 3):
        epochs = sorted(row.epoch for row in rows if row.run == run)
        left = sorted(row.epoch for row in rows if row.run == run and row.path not in gone)
        assert left == epochs[-KEPT_A_RUN:]


@pytest.mark.parametrize("state", OVER)
def test_of_a_run_that_never_goes_on_nothing_stays(state: RunState) -> None:
    row = CheckpointFile(path="a", size_bytes=1, run=1, state=state, epoch=3)
    assert superfluous([row], cap_bytes=100) == ["a"]


def test_second_ones_go_before_newest_ones_and_old_ones_before_young_ones() -> None:
    rows = [a_row(3, 5), a_row(1, 1), a_row(1, 2)]
    assert superfluous(rows, cap_bytes=20) == ["run1-epoch1"]
    assert superfluous(rows, cap_bytes=10) == ["run3-epoch5", "run1-epoch1"]


@pytest.mark.parametrize("state", [RunState.PAUSED, RunState.WAITING])
def test_what_a_run_goes_on_from_for_certain_goes_last(state: RunState) -> None:
    held = replace(a_row(2, 5), state=state)
    rows = [held, replace(held, path="older", epoch=4), a_row(1, 7)]
    assert superfluous(rows, cap_bytes=20) == ["older"]
    assert superfluous(rows, cap_bytes=10) == ["older", "run1-epoch7"]


def test_a_file_of_several_runs_stays_for_one_of_them() -> None:
    shared = [a_row(run, 1, path="pack1") for run in (1, 4)]
    own = [a_row(1, epoch) for epoch in (2, 3)]
    assert superfluous(shared, cap_bytes=10) == []
    assert superfluous([*shared, *own], cap_bytes=100) == ["pack1"]


class Folder:
    """A study with its checkpoint folder, a path or a URL."""

    def __init__(self, bench: Bench, path: str) -> None:
        self.bench, self.path = bench, path
        self.retention = Retention(bench.storage, bench.study.id, path, cap_bytes=1000)

    def put(self, name: str) -> str:
        place = paths.inside(self.path, name)
        with fsspec.open(place, "wb") as file:
            file.write(b"12345")
        return place

    def save(self, claim: Claim, epoch: int, *, recorded: bool = True) -> None:
        saved = CheckpointRecord(
            run=claim.run,
            token=claim.token,
            epoch=epoch,
            path=self.put(f"run{claim.run}-token{claim.token}-epoch{epoch}.pt"),
            size_bytes=5,
            spent=Spent(),
        )
        if recorded:
            self.bench.storage.record([saved])
        self.retention.written()

    def files(self) -> list[str]:
        return sorted(Path(place).name for place in paths.starting(self.path, [""]))

    def rows(self) -> list[str]:
        found = self.bench.storage.checkpoint_files(self.bench.study.id)
        return sorted(Path(row.path).name for row in found)


@pytest.fixture(params=["{}", "memory://{}"], ids=["path", "memory"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Folder:
    return Folder(Bench(None), str(request.param).format(tmp_path))


def names(claim: Claim, epochs: Sequence[int]) -> list[str]:
    return [f"run{claim.run}-token{claim.token}-epoch{epoch}.pt" for epoch in epochs]


def test_a_file_goes_with_its_row(folder: Folder) -> None:
    folder.bench.plan("a")
    claim = folder.bench.claim_one()
    for epoch in (1, 2, 3):
        folder.save(claim, epoch)
    folder.retention.tidy()
    assert folder.files() == folder.rows() == names(claim, (2, 3))


def test_a_resume_names_no_file_that_is_gone(folder: Folder) -> None:
    folder.bench.plan("a")
    claim = folder.bench.claim_one()
    for epoch in (1, 2, 3):
        folder.save(claim, epoch)
    folder.retention.tidy()
    folder.bench.take_back(folder.bench.holder)
    resume = folder.bench.claim_one().checkpoints
    assert [epoch for _, epoch in resume] == [3, 2]
    assert {Path(path).name for path, _ in resume} == {*folder.files()}


def test_a_file_whose_row_is_still_to_come_is_left_alone(folder: Folder) -> None:
    folder.bench.plan("a")
    claim = folder.bench.claim_one()
    for epoch in (1, 2):
        folder.save(claim, epoch)
    for epoch in (3, 4):
        folder.save(claim, epoch, recorded=False)
    folder.retention.tidy()
    assert folder.files() == names(claim, (1, 2, 3, 4))


def test_of_a_run_that_is_over_all_is_removed(folder: Folder) -> None:
    folder.bench.plan("a", "b")
    claim, other = folder.bench.claim(2)
    folder.save(claim, 1)
    folder.save(claim, 2, recorded=False)
    folder.save(other, 1)
    folder.put(f"run{claim.run}-token1-epoch3.pt.77.part")
    folder.put(f"pack-run{claim.run}-token1-epoch3.pt.77.part")
    folder.put(f"run{claim.run}1-token1-epoch1.pt")
    folder.put("notes.txt")
    folder.bench.storage.record([end(claim)])
    folder.retention.over(claim.run)
    folder.retention.tidy()
    assert folder.rows() == names(other, [1])
    assert folder.files() == sorted(
        ["notes.txt", f"run{claim.run}1-token1-epoch1.pt", *names(other, [1])]
    )


def test_a_file_that_another_run_needs_outlives_the_run_it_is_named_for(folder: Folder) -> None:
    folder.bench.plan("a", "b")
    claim, other = folder.bench.claim(2)
    folder.save(claim, 1)
    (row,) = folder.bench.storage.checkpoint_files(folder.bench.study.id)
    shared = CheckpointRecord(
        run=other.run, token=other.token, epoch=1, path=row.path, size_bytes=5, spent=Spent()
    )
    folder.bench.storage.record([shared, end(claim)])
    folder.retention.over(claim.run)
    folder.retention.tidy()
    assert folder.files() == names(claim, [1])


def test_the_last_run_that_needs_a_file_takes_it_along(folder: Folder) -> None:
    folder.bench.plan("a", "b")
    claim, other = folder.bench.claim(2)
    folder.save(claim, 1)
    (row,) = folder.bench.storage.checkpoint_files(folder.bench.study.id)
    shared = CheckpointRecord(
        run=other.run, token=other.token, epoch=1, path=row.path, size_bytes=5, spent=Spent()
    )
    folder.bench.storage.record([shared])
    for ended in (claim, other):
        folder.bench.storage.record([end(ended)])
        folder.retention.over(ended.run)
        folder.retention.tidy()
    assert folder.files() == folder.rows() == []


def test_what_a_killed_driver_left_is_removed(folder: Folder) -> None:
    folder.bench.plan("a")
    claim = folder.bench.claim_one()
    folder.save(claim, 1)
    folder.bench.storage.record([end(claim)])
    Retention(folder.bench.storage, folder.bench.study.id, folder.path, cap_bytes=9).tidy()
    assert folder.files() == folder.rows() == []


def test_once_nobody_trains_what_has_no_row_is_removed(folder: Folder) -> None:
    folder.bench.plan("a", "b")
    over, released = folder.bench.claim(2)
    folder.save(over, 1, recorded=False)
    folder.put(f"pack-run{over.run}-token1-epoch3.pt")
    folder.put(f"run{over.run}.reports")  # a training function's
    folder.save(released, 1)
    folder.save(released, 2, recorded=False)
    folder.retention.sweep()
    assert folder.files() == [f"run{over.run}.reports", *names(released, [1])]


def test_a_run_whose_end_was_refused_keeps_its_files(folder: Folder) -> None:
    folder.bench.plan("a")
    claim = folder.bench.claim_one()
    folder.save(claim, 1)
    folder.retention.over(claim.run)
    folder.retention.tidy(refused={claim.run})
    assert folder.files() == folder.rows() == names(claim, [1])


def test_a_file_in_another_folder_loses_its_row_only(
    folder: Folder, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder.bench.plan("a")
    claim = folder.bench.claim_one()
    other = Folder(folder.bench, str(tmp_path_factory.mktemp("elsewhere")))
    other.save(claim, 1)
    folder.bench.storage.record([end(claim)])
    folder.retention.written()
    folder.retention.tidy()
    assert (folder.rows(), other.files()) == ([], names(claim, [1]))


def test_the_folder_is_not_read_for_runs_while_no_file_is_held(folder: Folder) -> None:
    """It may hold a network for each run: to read it for each would take ever longer."""
    folder.bench.plan("a")
    claim = folder.bench.claim_one()
    folder.retention.tidy()
    folder.put(half_written := f"run{claim.run}-token1-epoch3.pt.77.part")
    folder.bench.storage.record([end(claim)])
    folder.retention.over(claim.run)
    folder.retention.tidy()
    assert folder.files() == [half_written]
    folder.retention.sweep()
    assert folder.files() == []
