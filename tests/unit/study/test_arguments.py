"""What Python code gives to a `Study` is checked where it comes in, not where it is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from study import Study
from study.errors import BadArgument, BadSpec
from tests.unit.study.specs import spec_of


@pytest.fixture(scope="module")
def study() -> Study:
    return Study.open("digits", storage="sqlite:///none.db")


@pytest.mark.parametrize(
    ("method", "given", "finding"),
    [
        ("network", {"search": 3}, "`search` must be a text or None. Got 3, of type int."),
        (
            "network",
            {"seed": True},
            "`seed` must be a whole number or None. Got True, of type bool.",
        ),
        ("network", {"seed": 0.5}, "`seed` must be"),
        ("network", {"retrain": "yes"}, "`retrain` must be True or False. Got 'yes', of"),
        ("network", {"device": None}, "`device` must be a text. Got None, of type NoneType."),
        ("packs", {"device": 0}, "`device` must be a text"),
        ("packs", {"look": 1}, "`look` must be True or False"),
        ("check", {"workers": 0}, "`workers` must be a whole number from 1 on. Got 0"),
        ("check", {"workers": True}, "`workers` must be"),
        ("check", {"ray": "auto"}, "`ray` must be a RayOptions or None"),
        ("check", {"checkpoints": 3}, "`checkpoints` must be a path or None"),
        ("run", {"workers": "2"}, "`workers` must be"),
        ("run", {"redecide": 1}, "`redecide` must be"),
        ("run", {"report": "loud"}, "`report` must be a function"),
        ("with_budget", {"limits": [("epochs", 3)]}, "`limits` must be a mapping"),
        ("open", {"name": None}, "`name` must be a name or a path. Got None"),
        ("open", {"name": "digits", "storage": Path("w.db")}, "`storage` must be a text or None"),
    ],
)
def test_what_an_argument_cannot_be_is_refused(
    study: Study, method: str, given: dict[str, Any], finding: str
) -> None:
    with pytest.raises(BadArgument) as refused:
        getattr(study, method)(**given)
    assert finding in str(refused.value)


def test_a_study_is_made_of_a_spec() -> None:
    plain: Any = spec_of().to_plain()
    with pytest.raises(BadArgument, match="`spec` must be a StudySpec"):
        Study(plain)


@pytest.mark.parametrize("limits", [{"epochs": "many"}, {"epoch": 3}, {3: 4}])
def test_limits_are_checked_as_the_spec_has_them(study: Study, limits: dict[Any, Any]) -> None:
    with pytest.raises(BadSpec, match="budget"):
        study.with_budget(limits)


def test_paths_may_be_paths(tmp_path: Path) -> None:
    spec = tmp_path / "of_a_path.toml"
    spec.write_text(
        'name = "of_a_path"\nproblem = "digits"\nseeds = [0]\n'
        "training = { epochs = 1, batch_size = 8 }\n"
        '[[search]]\nweighting = "ew"\nstages = [{ lr = [0.1] }]\n'
    )
    study = Study.open(spec, storage="sqlite:///none.db")
    assert study.name == "of_a_path"
    assert study.check(checkpoints=tmp_path / "aside") == str(tmp_path / "aside")
