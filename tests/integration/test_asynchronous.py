"""A study that is stopped asynchronously loses nothing by kills, and says what it is."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from storage.notices import STOPPED_ASYNCHRONOUSLY
from tests.integration import comparable
from tests.integration.command import command
from tests.integration.driving import complete, run_with_kills

pytestmark = pytest.mark.slow

STUDY = "early"
SPEC = f"""
name = "{STUDY}"
problem = "toy:Toy"
seeds = [0, 1]
[training]
epochs = 20
batch_size = 4
optimizer = "sgd"
checkpoint_s = 1000
[baseline]
stop = {{ rule = "median", rungs = [10] }}
[[search]]
weighting = ["ew", "rlw"]
[[search.stages]]
lr = [0.003, 0.01, 0.03, 0.1, 0.3, 1e20]
stop = {{ rule = "halving", rungs = [8, 16], asynchronous = true }}
"""


def test_every_run_ends_at_a_rung_or_at_its_end(undisturbed: str) -> None:
    assert_whole(undisturbed)


def test_killed_nothing_is_lost(spec: Path, undisturbed: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'w.db'}"
    run_with_kills(spec, url, random.Random(2), after=[10])
    assert_whole(url)
    assert "lost" in {state for _, state in comparable.attempts(url, STUDY)}
    assert not comparable.checkpoint_files(tmp_path), (
        "checkpoints of finished runs were left behind"
    )
    assert_same_where_both_were_trained(url, undisturbed)


def test_finished_it_trains_nothing_again(spec: Path, undisturbed: str) -> None:
    before = comparable.attempts(undisturbed, STUDY)
    complete(spec, undisturbed)
    assert comparable.attempts(undisturbed, STUDY) == before


def test_all_that_is_told_of_it_says_so(spec: Path, undisturbed: str) -> None:
    for verb in ("plan", "run", "compare"):
        said = command(spec.parent, verb, spec.name, "--storage", undisturbed)
        assert said.text.count(STOPPED_ASYNCHRONOUSLY) == 1, verb
    assert "halving at 8, 16, asynchronous" in command(spec.parent, "plan", spec.name).text
    for study in ([], [STUDY]):
        said = command(spec.parent, "status", *study, "--storage", undisturbed)
        assert said.text.count(STOPPED_ASYNCHRONOUSLY) == 1
    for verb in ("plan", "status", "compare"):
        said = command(spec.parent, verb, STUDY, "--storage", undisturbed, "--json")
        assert said.json["notices"] == [STOPPED_ASYNCHRONOUSLY], verb
    page = spec.parent / "report.html"
    command(spec.parent, "report", STUDY, "-o", str(page), "--storage", undisturbed)
    assert STOPPED_ASYNCHRONOUSLY in page.read_text()


def assert_whole(url: str) -> None:
    """All runs have ended where their trials did, some at their last epoch; none trained twice."""
    ends: dict[tuple[object, object], set[tuple[object, object]]] = {}
    rows = comparable.results(url, STUDY)
    for search, trial, _, _, _, state, _, epochs, *_ in rows:
        ends.setdefault((search, trial), set()).add((state, epochs))
    of_searches = [end for (name, _), end in ends.items() if name in ("ew", "rlw")]
    assert len(of_searches) == 2 * 6
    assert all(
        end in ({("pruned", 8)}, {("pruned", 16)}, {("done", 20)}, {("diverged", 0)})
        for end in of_searches
    )
    for search in ("ew", "rlw"):
        assert {("done", 20)} in [end for (name, _), end in ends.items() if name == search]
    segments = sum(n_segments(row[4] == "baseline", row[5], row[7]) for row in rows)
    states = [state for run, state in comparable.attempts(url, STUDY) if run is not None]
    assert states.count("finished") == segments


def n_segments(single: bool, state: object, epochs: object) -> int:
    """How many stretches between rungs a run was trained for."""
    if state == "done":
        return 2 if single else 3
    return 2 if epochs == 16 else 1


def assert_same_where_both_were_trained(url: str, undisturbed: str) -> None:
    """Stopping decides how far a run goes, not what it comes to on the way."""
    of_one, of_other = (
        {row[:-1]: row[-1] for row in comparable.epochs(one, STUDY)} for one in (url, undisturbed)
    )
    shared = of_one.keys() & of_other.keys()
    assert shared
    assert {name: of_one[name] for name in shared} == {name: of_other[name] for name in shared}
