"""Networks are had from a study as they were recorded, however it was trained."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest
import torch

from storage import Reader
from study import Study, TrainedNetwork
from study.errors import NetworkMissing
from tests import toy
from tests.integration import comparable
from tests.integration.command import at_home, command
from tests.integration.driving import complete
from trainers.engines import open_session
from trainers.errors import NetworkUnreadable, NotReplaced
from trainers.evaluation import Evaluation
from trainers.problems import build
from trainers.randomness import Key
from trainers.trained_network import place_for

STUDY = "kept"
SPEC = """
name = "kept"
problem = "toy:Toy"
seeds = [0, 1]
[training]
epochs = 6
batch_size = 6
engine = "{engine}"
[[search]]
weighting = ["ew", "uw"]
stages = [{{ lr = [1e-2, 1e-1] }}]
"""
NORMED = """
from dataclasses import dataclass
from torch import nn
from toy import Toy

@dataclass(frozen=True, kw_only=True)
class Normed(Toy):
    def trunk(self):
        return nn.Sequential(nn.Linear(3, 5, bias=False), nn.BatchNorm1d(5), nn.Linear(5, 4))
"""
KINDS = {
    "solo": ("solo", "toy:Toy"),
    "fused": ("fused", "toy:Toy"),
    "solo, batch norm": ("solo", "normed:Normed"),
    "fused, batch norm": ("fused", "normed:Normed"),
}


def written(folder: Path, kind: str, more: str = "") -> Path:
    engine, problem = KINDS[kind]
    shutil.copy(toy.__file__, folder / "toy.py")
    (folder / "normed.py").write_text(NORMED)
    spec = folder / "kept.toml"
    spec.write_text(SPEC.format(engine=engine).replace("toy:Toy", problem) + more)
    return spec


def url_in(folder: Path) -> str:
    return f"sqlite:///{folder / 'w.db'}"


@pytest.fixture(scope="module")
def solo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return done(tmp_path_factory.mktemp("solo"), "solo")


@pytest.fixture(scope="module", params=KINDS)
def folder(
    request: pytest.FixtureRequest, solo: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A study that is done, on either engine, with and without batch normalisation."""
    kind = request.param
    return solo if kind == "solo" else done(tmp_path_factory.mktemp("kept"), kind)


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that is done; what tests do to the files of one search is nothing to the other."""
    return done(tmp_path_factory.mktemp("spoilt"), "fused")


def done(folder: Path, kind: str) -> Path:
    complete(written(folder, kind), url_in(folder))
    return folder


def opened(folder: Path) -> Study:
    return Study.open(str(folder / "kept.toml"), storage=url_in(folder))


def measured(network: TrainedNetwork) -> dict[str, dict[str, dict[str, float]]]:
    """What the network that was built comes to on both splits that it was not trained on."""
    session, model = open_session(build(network.problem), "cpu"), network.build()
    found: dict[str, dict[str, dict[str, float]]] = {}
    for split in ("validation", "test"):
        functions = {task: session.problem.functions(task) for task in network.tasks}
        evaluation = Evaluation(model, functions)
        for batch in session.sources[split].batches(None, 1024, Key("evaluation")):
            evaluation.add(batch)
        for _, task, metric, value in evaluation.values(split):
            found.setdefault(split, {}).setdefault(task, {})[metric] = value
    return found


def recorded(network: TrainedNetwork) -> dict[str, Mapping[str, Mapping[str, float]]]:
    return {split: network.metrics[split] for split in ("validation", "test")}


@pytest.mark.parametrize("search", ["ew", "uw", "stl/level", "stl/kind"])
def test_what_is_built_has_the_recorded_metrics(folder: Path, search: str) -> None:
    network = opened(folder).network(search)
    found, expected = measured(network), recorded(network)
    spec = (folder / "kept.toml").read_text()
    if 'engine = "solo"' in spec:
        assert found == expected
        return
    for split, tasks in expected.items():
        for task, metrics in tasks.items():
            # a stack multiplies its matrices otherwise than one network does; counts are the same
            assert found[split][task] == pytest.approx(metrics, rel=2e-6)
            if task == "kind":
                assert found[split][task]["error"] == metrics["error"]


def test_winners_alone_are_kept_at_their_selected_epochs(folder: Path) -> None:
    kept = comparable.networks(url_in(folder), STUDY)
    best = {search: opened(folder).network(search) for search in ("ew", "uw", "stl/level")}
    for search, network in best.items():
        mine = [row for row in kept if row[0] == search]
        assert [(trial, seed) for _, trial, seed, *_ in mine] == [
            (network.trial, seed) for seed in (0, 1)
        ]
        assert (network.seed, network.epoch) in [(seed, epoch) for _, _, seed, epoch, _ in mine]


def test_the_file_is_plain_and_comes_back(folder: Path, tmp_path: Path) -> None:
    network, file = opened(folder).network("uw", seed=1), tmp_path / "model.pt"
    assert network.save(file) == file.stat().st_size
    plain = torch.load(file, weights_only=True)
    assert plain["card"]["name"] == "toy"
    assert (plain["search"], plain["seed"], plain["tasks"]) == ("uw", 1, toy.TASKS)
    assert json.loads(json.dumps(plain["params"])) == plain["params"]
    again = TrainedNetwork.load(file, folder=str(folder))
    torch.testing.assert_close(again.build().state_dict(), network.state_dict, rtol=0, atol=0)
    assert measured(again) == measured(network)


def test_the_verb_writes_the_best_of_all(solo: Path, tmp_path: Path) -> None:
    out = tmp_path / "model.pt"
    said = command(solo, "network", "kept.toml", "--storage", url_in(solo), "-o", str(out))
    assert said.code == 0, said.err
    best = TrainedNetwork.load(out)
    every = [opened(solo).network(search) for search in ("ew", "uw")]
    assert best.search in [one.search for one in every]
    assert f"search {best.search}, trial {best.trial}, seed {best.seed}" in said.text
    assert f"after epoch {best.epoch}" in said.text


@pytest.mark.parametrize(
    ("words", "finding"),
    [
        (
            ["--search", "stl/levels"],
            "no search 'stl/levels' in this study. Did you mean `stl/level`?",
        ),
        (["--seed", "7"], "There is no seed 7 in this study. It has 0, 1."),
        (["-o", "nodir/x.pt"], "into a folder that exists. Got nodir. Create it first."),
    ],
)
def test_bad_requests_are_one_message(solo: Path, words: list[str], finding: str) -> None:
    said = command(solo, "network", "kept.toml", "--storage", url_in(solo), *words)
    assert said.code == 2
    assert said.err.startswith("error ")
    assert finding in " ".join(said.err.split())


@pytest.mark.parametrize("name", ["w.db", "kept.toml", "sub", "pipe"])
def test_nothing_but_a_network_is_replaced(name: str, tmp_path: Path) -> None:
    there, link = tmp_path / name, tmp_path / "model.pt"
    {"sub": there.mkdir, "pipe": partial(os.mkfifo, there)}.get(
        name, partial(there.write_bytes, b"mine")
    )()
    link.symlink_to(there)
    before = there.lstat()
    for path in (there, link):
        said = command(tmp_path, "network", "kept", "--storage", url_in(tmp_path), "-o", str(path))
        assert said.code == 2
        assert "error A network replaces nothing but the file of another one" in said.err
        with pytest.raises(NotReplaced):
            place_for(path)
    assert link.is_symlink()
    assert os.path.samestat(there.lstat(), before)


def test_a_network_replaces_a_network_behind_its_link(solo: Path, tmp_path: Path) -> None:
    file, link = tmp_path / "a.pt", tmp_path / "b.pt"
    opened(solo).network("uw").save(file)
    link.symlink_to(file)
    opened(solo).network("ew").save(link)
    assert link.is_symlink()
    assert TrainedNetwork.load(file).search == "ew"


def test_without_a_study_the_way_to_one_is_told(solo: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'none.db'}"
    said = command(solo, "network", "kept.toml", "--storage", url)
    assert said.code == 2


def test_a_lost_file_is_told_and_trained_again(spoilt: Path) -> None:
    network = opened(spoilt).network("ew")
    assert files_of(spoilt, "ew")
    for file in files_of(spoilt, "ew"):
        file.unlink()
    with pytest.raises(NetworkMissing, match=r"No such file.*--search ew --seed \d --retrain"):
        opened(spoilt).network("ew", seed=network.seed)
    with at_home(spoilt):
        again = opened(spoilt).network("ew", seed=network.seed, retrain=True)
    torch.testing.assert_close(again.state_dict, network.state_dict, rtol=0, atol=0)
    assert again.metrics == network.metrics


def test_what_was_changed_is_not_read(spoilt: Path, tmp_path: Path) -> None:
    for file in files_of(spoilt, "uw"):
        file.write_bytes(file.read_bytes() + b"more")
    with pytest.raises(NetworkMissing, match="other bytes"):
        opened(spoilt).network("uw")
    (tmp_path / "model.pt").write_bytes(b"not a network")
    with pytest.raises(NetworkUnreadable, match=r"Got .*model\.pt"):
        TrainedNetwork.load(tmp_path / "model.pt")


def files_of(folder: Path, search: str) -> list[Path]:
    """The files of the networks that were kept of a search, of those that are there."""
    reader = Reader(url_in(folder))
    study = reader.study(STUDY).id
    names, rows = reader.view("run_results", STUDY)
    runs = {row[names.index("run")] for row in rows if row[names.index("search")] == search}
    kept = [Path(one.file.path) for one in reader.network_files(study) if one.run in runs]
    reader.close()
    return [file for file in kept if file.exists()]


@pytest.mark.parametrize(("keeps", "n"), [("none", 0), ("all", 20)])
def test_as_many_are_kept_as_were_asked_for_and_go_with_their_study(
    keeps: str, n: int, tmp_path: Path
) -> None:
    spec = written(tmp_path, "solo", f'[keep]\nnetworks = "{keeps}"\n')
    complete(spec, url_in(tmp_path))
    assert len(comparable.networks(url_in(tmp_path), STUDY)) == n
    assert len(list(tmp_path.rglob("network-run*"))) == n
    if keeps == "none":
        with pytest.raises(NetworkMissing, match="was not kept"):
            opened(tmp_path).network("ew")
        with at_home(tmp_path):
            again = opened(tmp_path).network("ew", retrain=True)
            assert measured(again) == recorded(again)
    said = command(tmp_path, "delete", STUDY, "--yes", "--storage", url_in(tmp_path))
    assert said.code == 0
    assert not list(tmp_path.rglob("network-run*"))


def test_what_is_over_the_cap_is_dropped_and_told(tmp_path: Path) -> None:
    spec = written(tmp_path, "solo", "[keep]\ncap_mib = 1e-5\n")
    said = command(tmp_path, "run", spec.name, "--storage", url_in(tmp_path), "--workers", "1")
    assert said.code == 0
    assert "more than [keep] `cap_mib`, 1e-05 MiB" in " ".join((said.out + said.err).split())
    assert "have no network of their selected epoch" in " ".join((said.out + said.err).split())
    assert comparable.networks(url_in(tmp_path), STUDY) == []
