"""Searches of one study have an engine each, and come out as if each were alone in it."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from storage import Reader
from tests.integration import comparable
from tests.integration.command import command
from tests.integration.driving import complete, start, wait_for_done_runs

pytestmark = pytest.mark.slow

STUDY = "engines"
_HEAD = f"""
name = "{STUDY}"
problem = "toy:Toy"
seeds = [0, 1]
[training]
epochs = 6
batch_size = 4
checkpoint_s = 0
"""
_STACKED = """
[[search]]
weighting = ["rlw", "uw"]
stages = [{ lr = [0.01, 0.1] }]
"""
_ALONE = """
[[search]]
name = "alone"
weighting = "pcgrad"
stages = [{ lr = [0.01, 0.1] }]
"""
SPEC = _HEAD + _STACKED + _ALONE
ENGINES = {
    **dict.fromkeys(("stl/level", "stl/kind", "stl/flag", "rlw", "uw"), "fused"),
    "alone": "solo",
}


@pytest.fixture(scope="module")
def stacked(spec: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The database of a study without the search that is alone."""
    url = f"sqlite:///{tmp_path_factory.mktemp('stacked') / 'w.db'}"
    complete(as_spec(_HEAD + _STACKED, spec), url)
    return url


def engines(url: str) -> dict[str, str | None]:
    reader = Reader(url)
    found = {of.name: of.engine for of in reader.searches(reader.study(STUDY).id)}
    reader.close()
    return found


def of_searches(rows: comparable.Rows, *names: str) -> comparable.Rows:
    return [row for row in rows if row[0] in names]


def as_spec(text: str, spec: Path) -> Path:
    """The spec with another text, beside the first one."""
    changed = spec.parent / "changed.toml"
    changed.write_text(text)
    return changed


def test_one_is_stacked_and_the_other_is_not(spec: Path, undisturbed: str) -> None:
    assert engines(undisturbed) == ENGINES
    shown = command(spec.parent, "status", STUDY, "--storage", undisturbed)
    assert "alone (solo)" in shown.out
    planned = command(spec.parent, "plan", spec.name, "--storage", undisturbed)
    assert "engine: solo for alone: PCGrad needs each task's own gradient" in " ".join(
        planned.out.split()
    )


def test_costs_and_weights_are_those_of_the_method(undisturbed: str) -> None:
    steps, n_tasks = 6 * 3, 3
    runs = comparable.results(undisturbed, STUDY)
    costs = {of: {row[-1] for row in of_searches(runs, of)} for of in ("rlw", "alone", "stl/kind")}
    assert costs == {"rlw": {steps}, "alone": {steps * n_tasks}, "stl/kind": {steps}}
    n_alone = len(of_searches(runs, "alone"))
    paid = steps * (n_tasks * n_alone + len(runs) - n_alone)
    assert comparable.gradients_paid(undisturbed, STUDY) == paid
    weights = [
        float(str(row[-1]))
        for row in of_searches(comparable.epochs(undisturbed, STUDY), "alone")
        if row[-2] == "weight"
    ]
    assert len(weights) == n_alone * 6 * n_tasks
    assert min(weights) >= 1 < max(weights)


def test_stacked_searches_come_out_as_they_do_without_the_other(
    stacked: str, undisturbed: str
) -> None:
    assert_same_of(("rlw", "uw"), stacked, undisturbed)


def test_one_that_is_alone_comes_out_as_it_does_without_the_others(
    spec: Path, undisturbed: str, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'w.db'}"
    complete(as_spec(_HEAD + _ALONE, spec), url)
    assert_same_of(("alone",), url, undisturbed)


def assert_same_of(searches: tuple[str, ...], url: str, undisturbed: str) -> None:
    for read in (comparable.results, comparable.epochs):
        both = of_searches(read(undisturbed, STUDY), *searches)
        assert of_searches(read(url, STUDY), *searches) == both
        assert both


def test_killed_and_started_again_it_ends_the_same(
    spec: Path, undisturbed: str, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'w.db'}"
    for n_done in (7, 13):
        driver = start(spec, url, workers=2)
        wait_for_done_runs(url, STUDY, n_done)
        driver.send_signal(signal.SIGKILL)
        driver.wait()
    complete(spec, url, workers=2)
    assert_as_undisturbed(url, undisturbed)


def test_a_search_that_is_added_leaves_the_others_in_stacks(
    spec: Path, stacked: str, undisturbed: str, tmp_path: Path
) -> None:
    shutil.copy(stacked.removeprefix("sqlite:///"), tmp_path / "w.db")
    url = f"sqlite:///{tmp_path / 'w.db'}"
    complete(spec, url)
    assert_as_undisturbed(url, undisturbed)


def assert_as_undisturbed(url: str, undisturbed: str) -> None:
    assert engines(url) == ENGINES
    assert comparable.results(url, STUDY) == comparable.results(undisturbed, STUDY)
    assert comparable.epochs(url, STUDY) == comparable.epochs(undisturbed, STUDY)
