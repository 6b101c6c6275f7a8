"""Whatever a spec says, it is planned or refused in a sentence, and no earlier study is lost."""

from __future__ import annotations

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import Storage
from study.api import Study
from study.errors import StudyError
from study.planning.plan import make_plan
from study.spec.study_spec import parse
from tests.unit.cli.hostile import ODD, specs
from tests.unit.cli.polite import DECLARED, content, inside, planned
from tests.unit.study.specs import plain

_EVERY = 4  # of nearly two thousand: each key meets most values, in a tenth of a minute
HOSTILE = list(specs())[::_EVERY]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database that holds a study."""
    made = tmp_path_factory.mktemp("hostile").resolve()
    save(Study(parse(plain(), source="test"), storage=f"sqlite:///{made / 'w.db'}"))
    return made


def save(study: Study) -> None:
    """Store a study as its first run would."""
    storage = Storage(study.storage_url)
    try:
        study._save(storage)
    finally:
        storage.close()


def test_there_are_enough_of_them() -> None:
    assert len(HOSTILE) >= 400
    assert {name.split(" ", 1)[1] for name, _ in HOSTILE} == set(ODD)


@pytest.mark.parametrize("odd", ODD)
def test_a_spec_is_planned_or_refused(odd: str, folder: Path, tmp_path: Path) -> None:
    database = folder / "w.db"
    before = content(database)
    with inside(folder):
        for name, text in HOSTILE:
            if name.split(" ", 1)[1] != odd:
                continue
            (folder / "a.toml").write_text(text)
            refused = planned("a.toml", f"sqlite:///{database}")
            if not refused:
                study = Study.open("a.toml", storage=f"sqlite:///{tmp_path / 'taken.db'}")
                _store_and_read_back(study)
        (folder / "a.toml").unlink()
    assert content(database) == before


def _store_and_read_back(study: Study) -> None:
    try:
        save(study)
    except StudyError:
        return  # another of that name asks for something else
    assert Study.open(study.name, storage=study.storage_url).plan.spec == study.plan.spec


_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=[]), max_size=20)
    | st.dates()
    | st.binary(max_size=3)
)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def places(part: Any, above: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where a value of a spec can be replaced."""
    found = [above] if above else []
    if isinstance(part, dict | list):
        for key, value in part.items() if isinstance(part, dict) else enumerate(part):
            found += places(value, (*above, key))
    return found


_FULL = plain() | {
    "problem_options": {"train_pairs": 64},
    "baseline": {"lr": [0.001, 0.01], "stop": {"rule": "halving", "rungs": [1]}},
    "budget": {"epochs": 10},
    "search": [
        {"weighting": "ew", "stages": [{"lr": [0.001, 0.01]}], "hyper": {}, "budget": {}},
        {
            "weighting": "scalarization",
            "stages": [
                {"lr": [0.001, 0.01], "strategy": "tpe", "trials": 4, "at": {"weight_decay": 0.1}},
                {"task_weights": {"simplex_step": 0.25}},
                {"lr": "neighbours"},
            ],
        },
    ],
}


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(place=st.sampled_from(places(_FULL)), value=_VALUES)
def test_a_spec_of_python_values_is_planned_or_refused(
    place: tuple[str | int, ...], value: Any
) -> None:
    spec: Any = deepcopy(_FULL)
    part = spec
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    try:
        plan = make_plan(parse(spec, source="test"))
    except DECLARED as error:
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]", str(error))
    else:
        assert parse(plan.spec.to_plain(), source="stored") == plan.spec


def test_the_full_spec_itself_is_fine() -> None:
    assert make_plan(parse(_FULL, source="test")).expected_runs > 0
