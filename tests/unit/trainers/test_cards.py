"""Cards check all that a user writes, when they are made."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainers.cards import MetricCard, ProblemCard, TaskCard
from trainers.errors import BadCard


def metric(**changed: Any) -> MetricCard:
    return MetricCard(**{"name": "mae", "title": "Error", "direction": "min", **changed})


def task(**changed: Any) -> TaskCard:
    return TaskCard(
        **{"name": "depth", "title": "Depth", "loss": "L1", "metrics": (metric(),), **changed}
    )


def problem(**changed: Any) -> ProblemCard:
    fields: dict[str, Any] = {
        "name": "rooms",
        "title": "Rooms",
        "kind": "real",
        "source": "a folder",
        "data_version": "1",
        "tasks": (task(),),
        "network": "MLP",
        "sizes": {"train": 6, "validation": 2, "test": 2},
    }
    return ProblemCard(**fields | changed)


NAMES: list[tuple[Any, str]] = [
    ("", "`name` must not be empty"),
    ("  ", "`name` must not be empty"),
    ("a\nb", "no control characters"),
    ("a\0b", "valid text without NUL"),
    ("\ud800", "valid text without NUL"),
    (" a", "no space at its ends"),
    (3, "`name` must be a string. Got 3"),
    (None, "`name` must be a string. Got None"),
    ("x" * 400, "characters. Got 400. Shorten it"),
]


@pytest.mark.parametrize(("name", "message"), NAMES)
@pytest.mark.parametrize("make", [metric, task, problem])
def test_names_are_short_and_printable(make: Any, name: Any, message: str) -> None:
    with pytest.raises(BadCard, match=f"(?s)^{make.__name__.title()}Card.*{message}"):
        make(name=name)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"direction": "minimize"}, "`mae`: `direction` .*Got 'minimize'. .*Did you mean `min`"),
        ({"direction": "Maximise"}, "Did you mean `max`"),
        ({"direction": "sideways"}, "Got 'sideways'. Allowed: min, max"),
        ({"direction": ["min"]}, r"Got \['min'\]"),
        ({"title": None}, "`title` must be a string. Got None"),
        ({"unit": 1}, "`unit` must be a string. Got 1. Write '1'"),
        ({"share": "yes"}, "`share` must be True or False. Got 'yes'"),
        ({"signed": 1}, "`signed` must be True or False. Got 1"),
    ],
)
def test_a_metric_is_checked(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(BadCard, match=f"^MetricCard .*{message}"):
        metric(**changed)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"metrics": ()}, "`depth`: `metrics` must not be empty.*at least one MetricCard"),
        ({"metrics": metric()}, "`metrics` must be a tuple of MetricCards"),
        ({"metrics": ("mae",)}, "a MetricCard each. Got 'mae'"),
        ({"metrics": (metric(), metric(unit="m"))}, "no two of one name. Got 'mae'"),
        ({"loss": None}, "`loss` must be a string"),
    ],
)
def test_a_task_is_checked(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(BadCard, match=f"^TaskCard .*{message}"):
        task(**changed)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"kind": "fake"}, "`rooms`: `kind` .*Got 'fake'. Allowed: real, composed"),
        ({"tasks": []}, "`tasks` must not be empty"),
        ({"tasks": (task(), task(title="Again"))}, "no two of one name. Got 'depth'"),
        ({"tasks": (metric(),)}, "a TaskCard each. Got MetricCard"),
        ({"tasks": (task(metrics=(metric(name="loss"),)),)}, "must not call a metric `loss`"),
        (
            {
                "tasks": (
                    task(name="a", metrics=(metric(name="b_c"),)),
                    task(name="a_b", metrics=(metric(name="c"),)),
                )
            },
            "`a_b_c` stands for two metrics. Got 'a.b_c and a_b.c'",
        ),
        ({"sizes": 10}, "`sizes` must be a mapping by split"),
        ({"sizes": {}}, "`sizes` lacks train, validation, test"),
        ({"sizes": {"train": 6, "val": 2, "test": 2}}, "Got 'val'"),
        ({"sizes": {"train": 6, "validation": 0, "test": 2}}, r"`sizes\['validation'\]` .*Got 0"),
        ({"sizes": {"train": 6, "validation": 2.0, "test": 2}}, "whole number above 0. Got 2.0"),
        ({"distinct": {"val": 2}}, "`distinct` has the splits .*Got 'val'"),
        ({"distinct": {"test": 0}}, r"`distinct\['test'\]` .*Got 0"),
        ({"sizes": {"train": True, "validation": 2, "test": 2}}, "Got True"),
        ({"data_version": {1, 2}}, r"`data_version` .*JSON can write. Got \{1, 2\}"),
        ({"data_version": float("nan")}, "JSON can write. Got nan"),
        ({"data_version": b"1"}, "JSON can write. Got b'1'"),
        ({"packages": "sklearn"}, "`packages` must be a tuple of strings"),
        ({"packages": ("scikit-learn",)}, "Got 'scikit-learn'. Write \"sklearn\""),
        ({"caveats": (1,)}, "`caveats` must be a string. Got 1"),
        ({"convolutional": "no"}, "`convolutional` must be True or False"),
        ({"network": None}, "`network` must be a string"),
        ({"licence": 1}, "`licence` must be a string"),
    ],
)
def test_a_problem_is_checked(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(BadCard, match=f"^ProblemCard .*{message}"):
        problem(**changed)


def test_what_is_kept_is_plain() -> None:
    card = problem(
        tasks=[task(metrics=[metric()])],
        sizes={split: np.int64(4) for split in ("train", "validation", "test")},
        data_version={"files": ("a", "b"), "n": 3},
        caveats=["small"],
    )
    plain = card.to_plain()
    assert json.loads(json.dumps(plain))["sizes"] == {"train": 4, "validation": 4, "test": 4}
    assert plain["data_version"] == {"files": ["a", "b"], "n": 3}, "as it is read back"
    assert isinstance(card.tasks, tuple)
    assert isinstance(card.tasks[0].metrics, tuple)


def test_a_function_has_no_sizes_and_may_call_its_metric_loss() -> None:
    card = problem(kind="function", sizes={}, tasks=(task(metrics=(metric(name="loss"),)),))
    assert card.sizes == {}


@pytest.mark.parametrize(
    ("changed", "step"),
    [
        ({"name": "error_rate"}, 0.005),
        ({"name": "accuracy", "unit": "%"}, 0.5),
        ({"name": "error"}, 0.0),
        ({"name": "wrong", "share": True}, 0.005),
        ({"name": "error_rate", "share": False}, 0.0),
    ],
)
def test_the_step_of_a_share(changed: dict[str, Any], step: float) -> None:
    assert metric(**changed).step(200) == step


@given(
    st.none() | st.text() | st.integers() | st.binary() | st.booleans() | st.lists(st.text()),
    st.sampled_from(["name", "title", "direction", "unit", "share", "signed"]),
)
def test_a_metric_is_made_or_refused_in_words(value: object, field: str) -> None:
    try:
        made = metric(**{field: value})
    except BadCard as error:
        assert f"`{field}`" in str(error)
    else:
        json.dumps(made.title + made.name + made.unit).encode()
