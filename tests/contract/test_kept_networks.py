"""Every engine keeps the networks of the epochs that may be selected, with the bits they had."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.contract.engine_repeating import trained
from tests.contract.fused_cases import Normed, fused
from tests.packs import Engine, Told, a_job, a_pack, two_jobs
from tests.toy import TASKS, Toy
from trainers.engines import open_session, train
from trainers.evaluation import Evaluation
from trainers.events import NetworkFile, NetworksKept
from trainers.jobs import Checkpoint, InitialNetwork, Job
from trainers.keeping import networks
from trainers.network import build_network
from trainers.randomness import Key

pytestmark = pytest.mark.usefixtures("one_thread")

ALL = tuple((task, "error", "min") for task in TASKS)
EPOCHS = 6
ENGINES: dict[str, Engine] = {"solo": train, "fused": fused}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return ENGINES[request.param]


def two(select_by: tuple[tuple[str, str, str], ...] | None = ALL) -> list[Job]:
    return [replace(job, select_by=select_by) for job in two_jobs("uw")]


def files(of_run: Told) -> list[NetworkFile]:
    kept = [event for event in of_run.events if isinstance(event, NetworksKept)]
    return [file for event in kept for file in event.files]


def contents(of_run: Told) -> dict[int, Any]:
    return {file.epoch: networks.load(file.path, sha256=file.sha256) for file in files(of_run)}


def errors(problem: Toy, content: Mapping[str, Any]) -> dict[tuple[str, str], float]:
    """Validation metrics of a network that is built anew and given what was kept."""
    session = open_session(problem, "cpu")
    network = build_network(session.problem, TASKS, Key("another"))
    network.load_state_dict(content["network"])
    functions = {task: session.problem.functions(task) for task in TASKS}
    evaluation = Evaluation(network, functions)
    for batch in session.sources["validation"].batches(None, 1024, Key("evaluation")):
        evaluation.add(batch)
    return {(task, name): value for _, task, name, value in evaluation.values("validation")}


def recorded(of_run: Told, epoch: int) -> dict[tuple[str, str], float]:
    values = of_run.epochs[epoch].items()
    return {(task, name): value for (split, task, name), value in values if split == "validation"}


@pytest.mark.parametrize("problem", [Toy(dropout=0.2), Normed()], ids=["dropout", "batch norm"])
def test_a_kept_network_has_the_recorded_metrics(
    engine: Engine, problem: Toy, tmp_path: Path
) -> None:
    runs = trained(engine, a_pack(*two(), epochs=EPOCHS, checkpoints=tmp_path), problem)
    for of_run in runs.values():
        assert files(of_run)
        for epoch, content in contents(of_run).items():
            found, expected = errors(problem, content), recorded(of_run, epoch)
            if engine is train:
                assert found == expected
            else:  # a stack multiplies its matrices otherwise than one network does
                assert found == pytest.approx(expected, rel=2e-6)
                assert found["kind", "error"] == expected["kind", "error"]


def test_whatever_the_baseline_may_be_the_selected_epoch_is_kept(
    engine: Engine, tmp_path: Path
) -> None:
    runs = trained(engine, a_pack(*two(), epochs=EPOCHS, checkpoints=tmp_path))
    for of_run in runs.values():
        kept = [file.epoch for file in files(of_run)]
        curves = [of_run.curve("validation", task, "error") for task in TASKS]
        for factors in itertools.product([0.5, 1.0, 2.0], repeat=len(TASKS)):
            baseline = [f * min(curve) or f for f, curve in zip(factors, curves, strict=True)]
            summed = [
                sum(value / base for value, base in zip(epoch, baseline, strict=True))
                for epoch in zip(*curves, strict=True)
            ]
            assert summed.index(min(summed)) + 1 in kept


def test_of_one_metric_the_best_epoch_alone_is_kept(engine: Engine, tmp_path: Path) -> None:
    jobs = two((("level", "error", "min"),))
    for of_run in trained(engine, a_pack(*jobs, epochs=EPOCHS, checkpoints=tmp_path)).values():
        curve = of_run.curve("validation", "level", "error")
        assert [file.epoch for file in files(of_run)] == [curve.index(min(curve)) + 1]


def test_without_a_metric_the_last_epoch_is_kept(engine: Engine, tmp_path: Path) -> None:
    for of_run in trained(engine, a_pack(*two(()), checkpoints=tmp_path)).values():
        assert [file.epoch for file in files(of_run)] == [3]


def test_nothing_is_kept_unless_it_is_asked_for(engine: Engine, tmp_path: Path) -> None:
    trained(engine, a_pack(*two(None), checkpoints=tmp_path))
    for pack in (a_pack(*two()), replace(a_pack(*two(), checkpoints=tmp_path), unsaved="lost")):
        assert not any(files(of_run) for of_run in trained(engine, pack).values())
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_ends_where_it_stands_is_done_with_what_it_has(
    engine: Engine, tmp_path: Path
) -> None:
    pack = a_pack(*two(), epochs=EPOCHS, checkpoints=tmp_path, until_epoch=4)
    begun = trained(engine, pack)
    assert {of_run.end.outcome for of_run in begun.values()} == {"paused"}
    standing = [
        replace(
            job, token=4, resume=tuple(event.checkpoint for event in begun[job.run].checkpoints)
        )
        for job in pack.jobs
    ]
    over = trained(engine, replace(pack, jobs=tuple(standing), ends=True))
    again = trained(engine, replace(pack, ends=True))  # its checkpoints were lost
    for run in begun:
        assert (over[run].end.outcome, over[run].end.epoch, over[run].epochs) == ("done", 4, {})
        assert (again[run].end.outcome, sorted(again[run].epochs)) == ("done", [1, 2, 3, 4])
        kept = [[(f.epoch, f.sha256) for f in files(of[run])] for of in (over, again)]
        assert kept[0] == kept[1] != []


@pytest.mark.parametrize("at", [1, 3, 5])
def test_a_resume_keeps_the_same_bits(engine: Engine, at: int, tmp_path: Path) -> None:
    whole = a_pack(*two(), epochs=EPOCHS, checkpoints=tmp_path / "whole")
    parts = replace(whole, checkpoints=str(tmp_path / "parts"))
    begun = trained(engine, replace(parts, until_epoch=at))
    goes_on = [
        replace(
            job, token=4, resume=tuple(event.checkpoint for event in begun[job.run].checkpoints)
        )
        for job in whole.jobs
    ]
    expected, found = trained(engine, whole), trained(engine, replace(parts, jobs=tuple(goes_on)))
    for run in expected:
        assert not files(begun[run])
        one, other = contents(expected[run]), contents(found[run])
        assert list(one) == list(other)
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_a_checkpoint_of_before_networks_were_kept_serves(engine: Engine, tmp_path: Path) -> None:
    pack = a_pack(*two(None), epochs=EPOCHS, checkpoints=tmp_path, until_epoch=5)
    begun = trained(engine, pack)
    jobs = [
        replace(job, resume=tuple(event.checkpoint for event in begun[job.run].checkpoints))
        for job in two()
    ]
    runs = trained(engine, replace(pack, jobs=tuple(jobs), until_epoch=EPOCHS))
    assert [file.epoch for of_run in runs.values() for file in files(of_run)] == [6, 6]


def test_files_are_named_by_run_attempt_and_epoch(engine: Engine, tmp_path: Path) -> None:
    (of_run,) = trained(
        engine, a_pack(a_job(5, token=9, select_by=()), checkpoints=tmp_path)
    ).values()
    (file,) = files(of_run)
    assert [entry.name for entry in tmp_path.iterdir()] == ["network-run5-token9-epoch3.pt"]
    assert file.size_bytes == os.path.getsize(file.path)


def test_a_folder_that_cannot_be_written_to_is_told(engine: Engine, tmp_path: Path) -> None:
    in_the_way = tmp_path / "a file"
    in_the_way.touch()
    runs = trained(engine, a_pack(*two(()), checkpoints=in_the_way))
    for of_run in runs.values():
        (kept,) = [event for event in of_run.events if isinstance(event, NetworksKept)]
        assert not kept.files
        assert str(in_the_way) in kept.failure
        assert of_run.end.outcome == "done"


def test_lone_tasks_are_kept_with_their_own_head(engine: Engine, tmp_path: Path) -> None:
    jobs = [
        a_job(run, tasks=(task,), select_by=((task, "error", "min"),))
        for run, task in enumerate(TASKS, start=1)
    ]
    runs = trained(engine, a_pack(*jobs, checkpoints=tmp_path))
    for run, task in enumerate(TASKS, start=1):
        for content in contents(runs[run]).values():
            heads = {key.split(".")[1] for key in content["network"] if key.startswith("heads.")}
            assert heads == {task}


def test_what_is_resumed_without_its_file_begins_again(engine: Engine, tmp_path: Path) -> None:
    jobs = [replace(job, resume=(Checkpoint(path="none.pt", epoch=2),)) for job in two()]
    whole = trained(engine, a_pack(*two(), checkpoints=tmp_path / "a"))
    again = trained(engine, a_pack(*jobs, checkpoints=tmp_path / "b"))
    for run in whole:
        torch.testing.assert_close(contents(whole[run]), contents(again[run]), rtol=0, atol=0)


def begins_from(job: Job, file: NetworkFile) -> Job:
    return replace(job, initial=InitialNetwork(path=file.path, sha256=file.sha256))


@pytest.mark.parametrize("problem", [Toy(), Normed()], ids=["toy", "batch norm"])
def test_a_run_begins_from_another_runs_network(
    engine: Engine, problem: Toy, tmp_path: Path
) -> None:
    """With a rate of next to nothing its network stays what it was."""
    pack = a_pack(*two(()), checkpoints=tmp_path / "first")
    file = files(trained(engine, pack, problem)[1])[0]
    jobs = [begins_from(replace(job, lr=1e-30), file) for job in two(())]
    runs = trained(engine, a_pack(*jobs, checkpoints=tmp_path / "second"), problem)
    before = networks.load(file.path, sha256=file.sha256)["network"]
    for of_run in runs.values():
        after = contents(of_run)[3]["network"]
        for name in (name for name, _ in build_network(problem, TASKS, Key("")).named_parameters()):
            torch.testing.assert_close(after[name], before[name], rtol=0, atol=0)


@pytest.mark.parametrize("at", [1, 2])
def test_what_began_so_is_the_same_in_parts_and_with_others(
    engine: Engine, at: int, tmp_path: Path
) -> None:
    file = files(trained(engine, a_pack(*two(()), checkpoints=tmp_path / "first"))[1])[0]
    begun, other = begins_from(two(())[0], file), two(())[1]
    whole = trained(engine, a_pack(begun, checkpoints=tmp_path / "whole"))[1]
    pack = a_pack(begun, other, checkpoints=tmp_path / "parts")
    half = trained(engine, replace(pack, until_epoch=at))
    jobs = [
        replace(job, resume=tuple(event.checkpoint for event in half[job.run].checkpoints))
        for job in (begun, other)
    ]
    parts = trained(engine, replace(pack, jobs=tuple(jobs)))
    torch.testing.assert_close(contents(whole), contents(parts[1]), rtol=0, atol=0)
    assert half[1].epochs | parts[1].epochs == whole.epochs
    alone = trained(engine, a_pack(other, checkpoints=tmp_path / "alone"))[2]
    assert half[2].epochs | parts[2].epochs == alone.epochs


def test_heads_that_it_lacks_begin_as_always(engine: Engine, tmp_path: Path) -> None:
    single = a_job(tasks=("level",), select_by=())
    file = files(trained(engine, a_pack(single, checkpoints=tmp_path / "first"))[1])[0]
    jobs = [
        begins_from(replace(two(())[0], lr=1e-30), file),
        replace(two(())[1], lr=1e-30),
    ]
    runs = trained(engine, a_pack(*jobs, checkpoints=tmp_path / "second"))
    found, usual = (contents(runs[run])[3]["network"] for run in (1, 2))
    before = networks.load(file.path, sha256=file.sha256)["network"]
    for name, value in found.items():
        expected = before.get(name, usual[name])
        torch.testing.assert_close(value, expected, rtol=0, atol=0)
    assert not torch.equal(found["trunk.0.weight"], usual["trunk.0.weight"])


def test_a_network_that_does_not_fit_fails_its_run(engine: Engine, tmp_path: Path) -> None:
    file = files(trained(engine, a_pack(*two(()), checkpoints=tmp_path), Normed())[1])[0]
    for wrong, finding in ((file, "shapes of its own"), (replace(file, sha256="0"), "other bytes")):
        runs = trained(engine, a_pack(begins_from(two()[0], wrong), two()[1]))
        assert runs[1].end.outcome == "failed"
        assert finding in runs[1].end.reason
        assert runs[2].end.outcome == "done"
