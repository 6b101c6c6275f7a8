"""A study.toml is read as it is meant, or refused with all that is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from study.catalogue import preset_text, presets
from study.errors import BadSpec
from study.spec.study_spec import StudySpec, parse, parse_toml, read
from tests.unit.study.specs import plain, spec_of
from trainers.optimizers import BUILT_IN

Change = Callable[[dict[str, Any]], object]


def message(change: Change) -> str:
    """What is said of a changed spec, without the headline."""
    with pytest.raises(BadSpec) as caught:
        parse(plain(change), source="s.toml")
    headline, _, rest = str(caught.value).partition("\n")
    assert headline == "The spec s.toml has errors:"
    return rest


def setting(*path: Any, to: Any) -> Change:
    """A change of one value, named by its keys."""

    def change(spec: dict[str, Any]) -> None:
        place: Any = spec
        for key in path[:-1]:
            place = place.setdefault(key, {}) if isinstance(place, dict) else place[key]
        place[path[-1]] = to

    return change


BOUNDS = [
    (("seeds",), [], "`seeds` must not be empty. Got []."),
    (("seeds",), 3, "`seeds` must be a list. Got 3."),
    (("seeds",), [1, 1], "`seeds` must not repeat a value. Got [1, 1]."),
    (("seeds",), [0, -1], "`seeds`, value 2, must be 0 or above. Got -1."),
    (("seeds",), [2**31], "`seeds`, value 1, must be below 2147483648."),
    (("seeds",), [True], "`seeds`, value 1, must be a whole number. Got true."),
    (("seeds",), [1.0], "`seeds`, value 1, must be a whole number. Got 1.0."),
    (("name",), "a b", "`name` must be letters, digits, dots, dashes and underscores"),
    (("name",), "", "`name` must be letters, digits, dots, dashes and underscores"),
    (("problem",), 3, "`problem` must be text in quotes. Got 3."),
    (("problem_options",), 3, "`problem_options` must be a table. Got 3."),
    (("training",), 3, "[training] must be a table. Got 3."),
    (("training", "epochs"), 0, "[training] `epochs` must be above 0. Got 0."),
    (("training", "epochs"), 1.5, "[training] `epochs` must be a whole number. Got 1.5."),
    (("training", "epochs"), True, "[training] `epochs` must be a whole number. Got true."),
    (("training", "batch_size"), "8", "[training] `batch_size` must be a whole number. Got '8'."),
    (("training", "eval_batch_size"), 0, "[training] `eval_batch_size` must be above 0."),
    (("training", "threads"), 0, "[training] `threads` must be above 0."),
    (
        ("training", "precision"),
        "half",
        "`precision` must be 'float32', 'tf32', 'bfloat16' or 'float16'.",
    ),
    (("training", "compile"), 1, "[training] `compile` must be true or false. Got 1."),
    (("training", "data_parallel"), 0, "[training] `data_parallel` must be above 0. Got 0."),
    (
        ("training", "optimizer"),
        "rms",
        f"[training] `optimizer` must be {', '.join(map(repr, BUILT_IN))}, or `module:Class` of",
    ),
    (("training", "lr"), 0, "[training] `lr` must be above 0. Got 0."),
    (("training", "lr"), float("nan"), "[training] `lr` must be a finite number. Got nan."),
    (("training", "lr"), float("inf"), "[training] `lr` must be a finite number. Got inf."),
    (("training", "lr"), True, "[training] `lr` must be a number. Got true."),
    (("training", "lr"), "0.1", "[training] `lr` must be a number. Got '0.1'."),
    (("training", "weight_decay"), -1, "[training] `weight_decay` must be 0 or above. Got -1."),
    (("training", "momentum"), 1, "[training] `momentum` must be below 1"),
    (("training", "momentum"), -0.1, "[training] `momentum` must be 0 or above."),
    (("training", "clip_norm"), 0, "[training] `clip_norm` must be above 0."),
    (("training", "checkpoint_s"), -1, "[training] `checkpoint_s` must be 0 or above."),
    (("training", "schedule"), "x", "[training] `schedule` must be 'constant' or 'cosine'."),
    (("training", "schedule"), {"step": 0}, "[training] `schedule.step` must be above 0."),
    (("training", "schedule"), {"gamma": 0.5}, "[training] `schedule.step` is missing."),
    (("train_fraction",), 0, "`train_fraction` must be above 0. Got 0."),
    (("train_fraction",), 1.5, "`train_fraction` must be at most 1. Got 1.5."),
    (("train_fraction",), nan, "`train_fraction` must be a finite number. Got nan."),
    (("train_fraction",), True, "`train_fraction` must be a number. Got true."),
    (("train_fraction",), "0.1", "`train_fraction` must be a number"),
    (("train_fraction",), {"left": -1}, "`train_fraction.left` must be above 0. Got -1."),
    (("train_fraction",), {"left": 2}, "`train_fraction.left` must be at most 1. Got 2."),
    (("train_fraction",), {"left": {}}, "`train_fraction.left` must be a number. Got {}."),
    (("baseline", "lr"), [], "[baseline] `lr` must not be empty."),
    (("baseline", "lr"), [0.1, 0], "[baseline] `lr`, value 2, must be above 0. Got 0."),
    (("baseline", "metrics"), {"a": 1}, "[baseline] `metrics.a` must be a table. Got 1."),
    (("baseline", "metrics"), {"a": {"b": "x"}}, "[baseline] `metrics.a.b` must be a number."),
    (("baseline", "metrics"), {"a": {"b": float("inf")}}, "`metrics.a.b` must be a finite number."),
    (("compare", "margin"), 0, "[compare] `margin` must be above 0. Got 0."),
    (("compare", "select_epoch"), "mean_last_0", "[compare] `select_epoch` must be best, last or"),
    (("budget", "trials"), 0, "[budget] `trials` must be above 0."),
    (("budget", "epochs"), 1.5, "[budget] `epochs` must be a whole number."),
    (("budget", "device_s"), 0, "[budget] `device_s` must be above 0."),
    (("budget", "money"), 0, "[budget] `money` must be above 0."),
    (("cost", "price_per_h"), -1, "[cost] `price_per_h` must be 0 or above. Got -1."),
    (("cost", "price_per_h"), {"cpu": "x"}, "[cost] `price_per_h.cpu` must be a number."),
    (("budget", "wall_s"), -1, "[budget] `wall_s` must be above 0."),
    (("confirm", "top"), 0, "[confirm] `top` must be above 0."),
    (("confirm", "seeds"), 0, "[confirm] `seeds` must be above 0."),
    (("search",), [], "[[search]] must not be empty."),
    (("search",), [3], "[[search]] 1 must be a table. Got 3."),
    (("search", 0, "weighting"), 3, "[[search]] 1, `weighting` must be text in quotes. Got 3."),
    (("search", 0, "weighting"), [], "[[search]] 1, `weighting` must not be empty."),
    (("search", 0, "weighting"), ["ew", 3], "[[search]] 1, `weighting`, value 2, must be text"),
    (("search", 0, "name"), "a b", "[[search]] 1, `name` must be letters, digits"),
    (("search", 0, "stages"), [], "[[search]] 1, `stages` must not be empty."),
    (("search", 0, "stages"), [3], "[[search]] 1, `stages`, value 1, must be a table. Got 3."),
    (("search", 0, "stages"), [{"lr": [1, inf]}], "`stages`, value 1, `lr`, value 2, must be"),
    (
        ("search", 0, "stages"),
        [{"a": {"b": nan}}],
        "[[search]] 1, `stages`, value 1, `a.b` must be",
    ),
    (("problem",), "\x1f", r"`problem` must be printable text. Got '\x1f'."),
    (
        ("search", 0, "weighting"),
        ["ew", "\x1b"],
        r"`weighting`, value 2, must be printable text. Got '\x1b'",
    ),
    (("search", 0, "joint"), "yes", "[[search]] 1, `joint` must be true or false. Got 'yes'."),
    (("search", 0, "hyper"), 3, "[[search]] 1, `hyper` must be a table. Got 3."),
    (("search", 0, "budget"), {"trials": 0}, "[[search]] 1, `budget.trials` must be above 0."),
]


@pytest.mark.parametrize(("path", "value", "said"), BOUNDS)
def test_a_value_out_of_bounds_is_named_with_its_rule(path: Any, value: Any, said: str) -> None:
    lines = message(setting(*path, to=value)).splitlines()
    assert len(lines) == 1
    assert said in lines[0]


def test_of_many_findings_the_first_are_told() -> None:
    lines = message(setting("seeds", to=[-1] * 3000)).splitlines()
    assert len(lines) == 21
    assert "`seeds`, value 20, must be 0 or above." in lines[-2]
    assert lines[-1].strip() == "... and 2,980 more."


@pytest.mark.parametrize(("path", "value", "_said"), BOUNDS)
def test_no_message_speaks_the_language_of_a_library(path: Any, value: Any, _said: str) -> None:
    said = message(setting(*path, to=value))
    assert not {"Input", "input", "valid", "dictionary", "item", "<", "Value error"} & set(
        said.replace(",", " ").split()
    )


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (("problm",), "Unknown key `problm`. Did you mean `problem`? Allowed: baseline, budget,"),
        (("training", "epoch"), "Unknown key `epoch` in [training]. Did you mean `epochs`?"),
        (("baseline", "lrs"), "Unknown key `lrs` in [baseline]. Did you mean `lr`? Allowed: lr, m"),
        (("compare", "magrin"), "Unknown key `magrin` in [compare]. Did you mean `margin`?"),
        (("budget", "trails"), "Unknown key `trails` in [budget]. Did you mean `trials`? Allowed:"),
        (("confirm", "seed"), "Unknown key `seed` in [confirm]. Did you mean `seeds`?"),
        (("search", 0, "stage"), "Unknown key `stage` in [[search]] 1. Did you mean `stages`?"),
        (
            ("search", 0, "xyz"),
            "Unknown key `xyz` in [[search]] 1. Allowed: budget, hyper, init_from, joint",
        ),
    ],
)
def test_an_unknown_key_names_its_section_and_what_is_allowed(path: Any, said: str) -> None:
    assert said in message(setting(*path, to=1))


def test_unknown_keys_of_nested_tables_are_found_too() -> None:
    schedule = message(setting("training", "schedule", to={"step": 1, "gama": 2}))
    assert "Unknown key `gama` in [training] `schedule`. Did you mean `gamma`?" in schedule
    budget = message(setting("search", 0, "budget", to={"trail": 1}))
    assert "Unknown key `trail` in [[search]] 1, `budget`. Did you mean `trials`?" in budget


@pytest.mark.parametrize("key", ["name", "problem", "seeds", "training", "search"])
def test_a_missing_key_is_named(key: str) -> None:
    shown = {"training": "[training]", "search": "[[search]]"}.get(key, f"`{key}`")
    assert f"  {shown} is missing. Add it: " in message(lambda spec: spec.pop(key))


def test_all_findings_come_at_once() -> None:
    def change(spec: dict[str, Any]) -> None:
        spec["seeds"] = []
        spec["training"] = {"epochs": 0, "batchsize": 8}
        spec["search"][0] |= {"joint": 3, "foo": 1}

    said = message(change)
    found = [line.split("Got")[0].split("?")[0] for line in said.splitlines()]
    assert len(found) == 6
    for part in ("`seeds`", "`epochs`", "`batch_size` is missing", "`batchsize`", "joint", "foo"):
        assert any(part in line for line in found), part


def test_all_findings_of_stages_come_at_once() -> None:
    stages = [
        {"lr": [1], "stop": {"rule": "median", "rungs": [0]}},
        {"lr": {"line": [1, 2], "refine": 0}, "strategy": "tpe"},
        {"strategy": "grdi"},
    ]
    first, *others = message(setting("search", 0, "stages", to=stages)).splitlines()
    assert "`stages`, value 1, `stop.rungs`, value 1, must be above 0. Got 0. Change it:" in first
    said = [line.split(". ")[0].split("`stages`, ")[1] for line in others]
    assert said == [
        "value 2, `trials` is missing",
        "value 2, `lr.refine` must be above 0",
        "value 3, `strategy` must be one of grid, random, quasi-random, tpe, or a table that "
        'names a sampler of Optuna, optuna = "GPSampler"',
    ]


def test_a_search_to_begin_from_has_a_name() -> None:
    said = message(setting("search", 0, "init_from", to=""))
    assert "[[search]] 1, `init_from` must not be empty. Got ''. Change it: search of" in said


def test_messages_have_no_markup_of_pages() -> None:
    said = message(setting("keep", to={"networks": "some"}))
    assert said.endswith("or none. See docs/how-to/get-the-network.md.")


def test_a_key_like_a_mark_of_ours_is_told() -> None:
    assert "Unknown key `<x>` in [training]." in message(setting("training", "<x>", to=1))


@pytest.mark.parametrize(
    "stage",
    [
        {"lr": [0.1], "at": {"weight_decay": 1}, "stop": None},
        {"lr": {"line": [1, 2], "refine": 1}, "stop": {"rule": "halving", "rungs": [1]}},
        {"lr": "neighbours"},
        {"b": [[1]], "a": [2], "strategy": "tpe", "trials": 3},
        {"lr": [1], "stop": {"rule": "worse-than-cohort", "rungs": [1, 2], "asynchronous": False}},
    ],
)
def test_a_stage_is_stored_as_it_is_written(stage: dict[str, Any]) -> None:
    stored = spec_of(search=[{"weighting": "ew", "stages": [stage]}]).to_plain()
    (found,) = stored["search"][0]["stages"]
    assert found == stage
    assert [key for key in found if len(key) == 1] == [key for key in stage if len(key) == 1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            setting("search", 0, to={"weighting": ["ew"], "name": "a", "stages": [{"lr": [1]}]}),
            "[[search]] 1: `name` goes with one weighting. Got 'a' beside a list. Drop `name`",
        ),
        (
            setting("search", 0, "budget", to={"wall_s": 3}),
            "[[search]] 1: `budget.wall_s` limits the whole command, not one search. Got 3. Move",
        ),
        (
            setting("baseline", to={"lr": [0.1], "metrics": {"a": {"b": 1}}}),
            "[baseline]: `lr` is for training the baseline, `metrics` for importing it. Got both.",
        ),
    ],
)
def test_keys_that_do_not_go_together_are_refused(change: Change, said: str) -> None:
    assert said in message(change)


def test_a_long_value_is_cut_short() -> None:
    (line,) = message(setting("training", to=list(range(100)))).splitlines()
    assert "..." in line
    assert len(line) < 160


@pytest.mark.parametrize("name", list(presets()))
def test_a_preset_comes_back_from_its_plain_form(name: str) -> None:
    spec = parse_toml(preset_text(name), source=name)
    stored = json.loads(json.dumps(spec.to_plain()))
    assert parse(stored, source="stored") == spec
    assert spec.name == name


def test_every_key_comes_back_from_its_plain_form() -> None:
    def change(spec: dict[str, Any]) -> None:
        spec["problem_options"] = {"width": 8}
        spec["training"] |= {"schedule": {"step": 2}, "clip_norm": 1, "lr": 0.5, "threads": 2}
        spec["training"] |= {"precision": "bfloat16", "compile": True}
        spec["baseline"] = {"metrics": {"left": {"error_rate": 0.5}}}
        spec["compare"] = {"select_epoch": "mean_last_3"}
        spec["budget"] = {"wall_s": 3, "trials": 4}
        spec["confirm"] = {}
        spec["search"][0] |= {"weighting": ["ew"], "hyper": {"a": [1, 2]}, "budget": {"epochs": 3}}

    spec = parse(plain(change), source="s.toml")
    assert parse(json.loads(json.dumps(spec.to_plain())), source="stored") == spec


def test_whole_numbers_serve_as_numbers() -> None:
    spec = spec_of(training={"epochs": 1, "batch_size": 1, "lr": 1})
    assert isinstance(spec.training.lr, float)


def test_every_key_is_described() -> None:
    def undescribed(model: type[BaseModel]) -> list[str]:
        return [name for name, field in model.model_fields.items() if not field.description]

    sections = [StudySpec, *{type(part) for part in vars(spec_of(confirm={})).values()}]
    models = [part for part in sections if isinstance(part, type) and issubclass(part, BaseModel)]
    assert len(models) > 4
    assert [name for model in models for name in undescribed(model)] == []


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSpec, match=r"Cannot read the spec .*no\.toml: No such file"):
        read(tmp_path / "no.toml")


def test_a_file_of_bytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bytes.toml"
    path.write_bytes(b"name = '\xff'")
    with pytest.raises(BadSpec, match=r"bytes\.toml is not text in UTF-8: .* at byte 8\."):
        read(path)


def test_broken_toml_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("name = \n")
    with pytest.raises(BadSpec, match=r"broken\.toml is not valid TOML: .*line 1"):
        read(path)
