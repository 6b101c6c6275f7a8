"""A search begins from another one's network, whoever trains it and whoever is killed."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
import torch

from storage import Reader
from storage.records import InitialNetwork, SearchRecord
from study import Study
from tests import toy
from tests.integration import comparable
from tests.integration.command import Said, at_home, command
from tests.integration.driving import complete, run_with_kills

pytestmark = pytest.mark.slow

STUDY = "begun"
SPEC = """
name = "begun"
problem = "toy:Toy"
problem_options = { troubles = ["rests"] }
seeds = [0, 1]
[training]
epochs = 6
batch_size = 6
checkpoint_s = 0
[[search]]
weighting = "uw"
init_from = "ew"
stages = [{ lr = [1e-2, 1e-1], stop = { rule = "halving", rungs = [2] } }]
[[search]]
weighting = "ew"
stages = [{ lr = [1e-2, 1e-1] }]
[[search]]
weighting = "rlw"
init_from = "stl/level"
stages = [{ lr = [1e-2] }]
"""
WITHOUT_REST = SPEC.replace('troubles = ["rests"]', "").replace("epochs = 6", "epochs = 3")

Outcome = tuple[comparable.Rows, comparable.Rows, comparable.Rows]


@pytest.fixture(scope="module")
def by_two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """Its spec and how it ended on two workers; the study is there to be changed by tests."""
    folder = tmp_path_factory.mktemp("by_two")
    shutil.copy(toy.__file__, folder / "toy.py")
    spec = folder / "begun.toml"
    spec.write_text(SPEC)
    complete(spec, url_beside(spec), workers=2)
    return spec, outcome(url_beside(spec))


def url_beside(spec: Path) -> str:
    return f"sqlite:///{spec.parent / 'w.db'}"


def outcome(url: str) -> Outcome:
    return (
        comparable.results(url, STUDY),
        comparable.epochs(url, STUDY),
        comparable.networks(url, STUDY),
    )


def record(url: str, name: str) -> SearchRecord:
    reader = Reader(url)
    try:
        (study,) = reader.studies()
        (found,) = (one for one in reader.searches(study.id) if one.name == name)
        return found
    finally:
        reader.close()


def begun_from(url: str, name: str) -> InitialNetwork | None:
    """The network that all runs of a search begin from."""
    found = record(url, name).initial
    return None if found is None else found.shared


def first_epochs(url: str, search: str) -> dict[tuple[int, int], float]:
    """Training loss of task level in epoch 1, by trial and seed."""
    return {
        (int(str(trial)), int(str(seed))): float(str(value))
        for name, trial, seed, epoch, split, task, metric, value in comparable.epochs(url, STUDY)
        if (name, epoch, split, task, metric) == (search, 1, "train", "level", "loss")
    }


def test_runs_begin_where_the_other_search_has_come_to(undisturbed: str, spec: Path) -> None:
    best = Study.open(str(spec), storage=undisturbed).network("ew")
    fixed = begun_from(undisturbed, "uw")
    assert fixed is not None
    assert fixed.epoch == best.epoch
    began, from_nothing = first_epochs(undisturbed, "uw"), first_epochs(undisturbed, "ew")
    assert all(began[at] < from_nothing[at] for at in began)
    assert begun_from(undisturbed, "ew") is None


def test_on_two_workers_it_is_the_same(undisturbed: str, by_two: tuple[Path, Outcome]) -> None:
    assert by_two[1] == outcome(undisturbed)


def test_killed_again_and_again_it_is_the_same(
    undisturbed: str, spec: Path, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'w.db'}"
    run_with_kills(spec, url, random.Random(5), after=(1, 20))
    assert outcome(url) == outcome(undisturbed)


def test_what_it_began_from_stands_when_seeds_are_added(by_two: tuple[Path, Outcome]) -> None:
    spec, (_, before, _) = by_two
    url = url_beside(spec)
    fixed = begun_from(url, "uw")
    spec.write_text(SPEC.replace("seeds = [0, 1]", "seeds = [0, 1, 2]"))
    complete(spec, url, "--redecide")
    assert begun_from(url, "uw") == fixed
    assert fixed is not None and Path(fixed.path).exists()
    assert set(before) < set(comparable.epochs(url, STUDY))


def test_it_is_trained_again_from_where_it_began(by_two: tuple[Path, Outcome]) -> None:
    spec, _ = by_two
    study = Study.open(str(spec), storage=url_beside(spec))
    kept = study.network("uw")
    for file in spec.parent.rglob(f"network-run{kept.run}-*"):
        file.unlink()
    with at_home(spec.parent):
        again = study.network("uw", seed=kept.seed, retrain=True)
    torch.testing.assert_close(again.state_dict, kept.state_dict, rtol=0, atol=0)


def words(said: Said) -> str:
    return " ".join((said.out + said.err).split())


def waits(folder: Path) -> dict[str, str | None]:
    """Why searches wait for a network, by name."""
    found = command(folder, "status", "begun", "--json").json["searches"]
    return {search["search"]: search["waits"] for search in found}


def test_without_a_network_the_search_waits_until_it_is_trained_again(tmp_path: Path) -> None:
    shutil.copy(toy.__file__, tmp_path / "toy.py")
    (tmp_path / "begun.toml").write_text(WITHOUT_REST + "[keep]\ncap_mib = 1e-6\n")
    ran = command(tmp_path, "run", "begun.toml", "--workers", "1")
    url = f"sqlite:///{tmp_path / 'weighbridge.db'}"
    assert "the network of search ew, from which it begins, was not kept" in words(ran)
    assert first_epochs(url, "uw") == {}

    told = waits(tmp_path)
    again = "`weighbridge network begun --search ew --retrain` trains it again and keeps it, then"
    assert told["uw"] and again in told["uw"] and "`weighbridge run begun` goes on" in told["uw"]
    assert told["ew"] is None
    assert f"waits search uw: {told['uw']}." in words(command(tmp_path, "status", "begun"))

    (tmp_path / "toy.py").rename(tmp_path / "away.py")
    assert "cannot be told here: Module `toy` was not found" in str(waits(tmp_path)["uw"])
    (tmp_path / "away.py").rename(tmp_path / "toy.py")

    said = [
        command(tmp_path, "network", "begun", "--search", "ew", "--retrain", "--seed", seed)
        for seed in ("0", "1")
    ]
    assert [one.code for one in said] == [0, 0]
    kept = ["It is kept for search uw, to begin from." in one.out for one in said]
    assert sorted(kept) == [False, True], "the best run's"
    told = waits(tmp_path)
    assert told["uw"] == "`weighbridge run begun` begins it, from the network of search ew"
    assert command(tmp_path, "run", "begun", "--workers", "1").code == 0
    assert len(first_epochs(url, "uw")) == 4
    assert waits(tmp_path)["uw"] is None


def test_a_search_that_has_begun_goes_on_from_a_network_that_was_lost(tmp_path: Path) -> None:
    shutil.copy(toy.__file__, tmp_path / "toy.py")
    spec, url = tmp_path / "begun.toml", f"sqlite:///{tmp_path / 'weighbridge.db'}"
    spec.write_text(WITHOUT_REST)
    complete(spec, url)
    before = begun_from(url, "rlw")
    assert before is not None
    Path(before.path).unlink()
    spec.write_text(WITHOUT_REST.replace("lr = [1e-2] }", "lr = [1e-2, 1e-1] }"))
    ran = command(tmp_path, "run", "begun.toml", "--workers", "1")
    assert (ran.code, "2 failed" in ran.out) == (1, True)
    lost = "If it is lost, `weighbridge network --retrain` of its search trains it again."
    assert lost in words(command(tmp_path, "status", "begun"))

    said = command(tmp_path, "network", "begun", "--search", "stl/level", "--retrain")
    assert "It is kept for search rlw, to begin from." in said.out, said.err
    after = begun_from(url, "rlw")
    assert after is not None
    assert (after.run_key, after.epoch) == (before.run_key, before.epoch)
    assert command(tmp_path, "retry", "begun").code == 0
    assert command(tmp_path, "run", "begun.toml", "--workers", "1").code == 0
    assert len(first_epochs(url, "rlw")) == 4


@pytest.mark.parametrize("name", ["uw", "ew", "rlw"])
def test_networks_of_all_searches_can_be_had(undisturbed: str, spec: Path, name: str) -> None:
    assert Study.open(str(spec), storage=undisturbed).network(name).search == name
