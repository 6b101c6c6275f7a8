"""Which networks of finished runs stay, and that rows go before files."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import pytest

from storage import RunState
from storage.objectives import known
from storage.records import NetworkFile, NetworkRecord, Spent, StoredNetwork
from storage.scoring import Selection
from study.deciding.trials import Contest, contest
from study.running.kept_networks import NetworkRetention, over_cap, superfluous
from study.running.packing import job_of
from study.spec.study_spec import KeepSpec
from tests.contract.storage_bench import PRIMARY, Bench, end, epoch
from tests.unit.study.specs import a_plan, a_search
from tests.unit.study.test_failure_policy import a_claim
from tests.unit.study.world import RULES, World
from trainers.keeping import paths

WINNERS, ALL, NONE = (KeepSpec(networks=kind) for kind in ("winners", "all", "none"))
SEEDS = RULES.seeds


def a_row(run: int, number: int, selected: int | None, size_bytes: int = 10) -> StoredNetwork:
    path = f"network-run{run}-token1-epoch{number}.pt"
    file = NetworkFile(epoch=number, path=path, size_bytes=size_bytes, sha256="0" * 64)
    return StoredNetwork(run=run, file=file, selected=selected)


def gone(files: list[StoredNetwork], keep: KeepSpec, *outclassed: int) -> list[tuple[int, int]]:
    return [(one.run, one.file.epoch) for one in superfluous(files, keep, outclassed=outclassed)]


def test_until_a_run_is_scored_all_its_epochs_stay() -> None:
    assert gone([a_row(1, 2, None), a_row(1, 3, None)], WINNERS, 2) == []


def test_of_a_scored_run_the_selected_epoch_stays() -> None:
    assert gone([a_row(1, 2, 3), a_row(1, 3, 3)], WINNERS) == [(1, 2)]
    assert gone([a_row(1, 2, 3), a_row(1, 3, 3)], ALL) == [(1, 2)]


def test_beaten_trials_stay_where_all_are_wanted() -> None:
    assert gone([a_row(1, 3, 3), a_row(2, 3, 3)], WINNERS, 2) == [(2, 3)]
    assert gone([a_row(1, 3, 3), a_row(2, 3, 3)], ALL, 2) == []


def test_nothing_stays_where_none_are_wanted() -> None:
    assert gone([a_row(1, 3, 3), a_row(2, 3, None)], NONE) == [(1, 3), (2, 3)]


def test_over_the_cap_the_oldest_go_first_and_best_trials_last() -> None:
    files = [a_row(1, 1, 1), a_row(2, 1, None), a_row(3, 1, None)]
    for cap_bytes, runs in ((30, []), (29, [2]), (10, [2, 3]), (9, [2, 3, 1])):
        assert [one.run for one in over_cap(files, cap_bytes=cap_bytes, best={1})] == runs


def stands(world: World) -> Contest:
    return contest(world.search, world.history, seeds=SEEDS)


def test_the_best_trials_runs_win_and_all_others_are_outclassed() -> None:
    world = World(a_search("uw-so", {"lr": [0.001, 0.01, 0.1]}, {"temperature": {"line": [1, 5]}}))
    world.run()
    best = {o.run for o in world.outcomes if o.params == world.history.decisions[-1].params}
    every = {o.run for o in world.outcomes}
    assert stands(world) == Contest(best=frozenset(best), outclassed=frozenset(every - best))


def test_nothing_is_outclassed_before_something_is_scored() -> None:
    world = World(a_search("ew", {"lr": [0.001, 0.01]}))
    world.settle()
    assert stands(world) == Contest()


def test_a_trial_without_all_its_seeds_is_open() -> None:
    world = World(a_search("ew", {"lr": [0.001, 0.01]}))
    world.settle()
    for outcome in world.open[:3]:
        world.complete(outcome)
    found = stands(world)
    assert len(found.best) == len(SEEDS)
    assert found.outclassed == frozenset()


def test_a_run_that_failed_leaves_its_trial_open_and_one_that_diverged_does_not() -> None:
    for state, n_outclassed in ((RunState.FAILED, 0), (RunState.DIVERGED, len(SEEDS))):
        ends: Any = {0.001: state, 0.01: 1.0}
        world = World(
            a_search("ew", {"lr": [0.001, 0.01]}),
            train=lambda point, _seed, ends=ends: ends[point["lr"]],
        )
        world.run(random.Random(0))
        assert len(stands(world).outclassed) == n_outclassed


def test_runs_of_retired_points_are_outclassed() -> None:
    world = World(a_search("ew", {"lr": [0.001, 0.01]}))
    world.run()
    loser = next(e for e in world.entries if e.params != world.history.decisions[-1].params)
    world.entries.remove(loser)
    runs = {outcome.run for outcome in world.outcomes if outcome.params == loser.params}
    assert stands(world).outclassed == runs


def select_by(role: str = "search", search: str = "ew", **keys: Any) -> object:
    plan = a_plan({"weighting": "ew", "stages": [{"lr": [0.1, 0.01]}]}, **keys)
    written = '{"lr": 0.1, "weight_decay": 0.0}'
    claim = replace(a_claim(1), search=search, role=role, params=written, written=written)
    (of,) = (found for found in plan.searches if found.name == search)
    return job_of(plan, of, claim).select_by


def test_a_run_is_told_by_what_its_epoch_will_be_selected() -> None:
    metrics = a_plan().searches[-1].objective.metrics
    assert select_by() == known(metrics)["delta_m"].metrics
    assert select_by("baseline", "stl/left") == (metrics[0],)
    assert select_by(compare={"select_epoch": "last"}) == ()
    assert select_by(compare={"select_epoch": "mean_last_3"}) == ()


def test_a_run_whose_network_nobody_asks_for_keeps_none() -> None:
    assert select_by(keep={"networks": "none"}) is None
    assert select_by("confirm") is None
    assert select_by("confirm", keep={"networks": "all"}) is not None


class Folder:
    """A study with networks of two single-task runs in a folder, a path or a URL."""

    def __init__(self, path: str) -> None:
        self.bench, self.path, self.said = Bench(None), path, list[str]()
        self.bench.plan("a", "b", search="stl/a", role="baseline")
        self.first, self.second = self.bench.claim(2)
        for claim in (self.first, self.second):
            files = [self.put(claim.run, number) for number in (1, 2)]
            kept = NetworkRecord(run=claim.run, token=claim.token, files=files, spent=Spent())
            epochs = [epoch(claim, 1, 0.2, 0.2), epoch(claim, 2, 0.1, 0.1)]
            self.bench.storage.record([*epochs, kept, end(claim)])

    def put(self, run: int, number: int) -> NetworkFile:
        place = paths.inside(self.path, f"network-run{run}-token1-epoch{number}.pt")
        with fsspec.open(place, "wb") as file:
            file.write(b"12345")
        return NetworkFile(epoch=number, path=place, size_bytes=5, sha256="0" * 64)

    def retention(self, keep: KeepSpec = WINNERS) -> NetworkRetention:
        storage, study = self.bench.storage, self.bench.study
        return NetworkRetention(storage, study.id, self.path, keep, say=self.said.append)

    def score(self) -> None:
        self.bench.storage.score(self.bench.study.id, PRIMARY, Selection())

    def files(self) -> list[str]:
        return sorted(Path(place).name for place in paths.starting(self.path, ["network-"]))

    def rows(self) -> list[str]:
        found = self.bench.storage.network_files(self.bench.study.id)
        return sorted(Path(one.file.path).name for one in found)

    def named(self, *of: tuple[int, int]) -> list[str]:
        return [f"network-run{run}-token1-epoch{number}.pt" for run, number in of]


@pytest.fixture(params=["{}", "memory://{}"], ids=["path", "memory"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Folder:
    return Folder(str(request.param).format(tmp_path))


def test_files_go_with_their_rows(folder: Folder) -> None:
    retention, (first, second) = folder.retention(), (folder.first.run, folder.second.run)
    retention.tidy([first, second], [], baseline="")
    assert len(folder.files()) == 4
    folder.score()
    retention.tidy([first], [], baseline="")
    assert folder.files() == folder.rows() == folder.named((first, 2), (second, 1), (second, 2))
    beaten = Contest(best=frozenset({first}), outclassed=frozenset({second}))
    retention.tidy([], [beaten], baseline="")
    assert folder.files() == folder.rows() == folder.named((first, 2))
    assert folder.said == []


def test_of_a_beaten_trial_its_own_files_are_looked_at_and_all_at_the_end(folder: Folder) -> None:
    retention, (first, second) = folder.retention(), (folder.first.run, folder.second.run)
    retention.tidy(None, [], baseline="")
    folder.score()
    beaten = Contest(best=frozenset({first}), outclassed=frozenset({second}))
    retention.tidy([], [beaten], baseline="")
    assert folder.files() == folder.rows() == folder.named((first, 1), (first, 2))
    retention.sweep()
    assert folder.files() == folder.rows() == folder.named((first, 2))


def test_what_is_over_the_cap_is_told_once(folder: Folder) -> None:
    folder.score()
    retention = folder.retention(KeepSpec(networks="all", cap_mib=6 / 2**20))
    for _ in range(2):
        retention.tidy(None, [Contest(best=frozenset({folder.first.run}))], baseline="")
    assert folder.files() == folder.rows() == folder.named((folder.first.run, 2))
    (said,) = folder.said
    assert "Some are dropped, of 1 run by now" in said


def test_what_is_not_there_of_best_trials_is_told(folder: Folder) -> None:
    folder.score()
    retention = folder.retention()
    both = Contest(best=frozenset({folder.first.run, folder.second.run}))
    retention.tell_lacking([both])
    assert folder.said == []
    folder.bench.storage.forget_networks([folder.put(folder.first.run, 2).path])
    retention.tell_lacking([both])
    folder.retention(NONE).tell_lacking([both])
    (said,) = folder.said
    assert said.startswith("Of 2 runs of best trials, 1 have no network")


def test_files_without_a_row_are_swept(folder: Folder) -> None:
    before = folder.files()
    folder.put(99, 1)
    folder.put(99, 2)
    folder.retention().sweep()
    assert folder.files() == before


def test_files_elsewhere_are_left_alone(folder: Folder, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder.retention(NONE).tidy(None, [], baseline="")
    assert folder.rows() == []
    moved = Folder(str(elsewhere))
    moved.path = str(tmp_path)
    moved.retention(NONE).tidy(None, [], baseline="")
    assert len(list(elsewhere.iterdir())) == 4
