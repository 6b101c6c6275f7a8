"""The presets on data in packages, each cut down to seconds: their searches train and end."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from study.catalogue import presets
from tests.integration.command import command
from trainers.jobs import ProblemRef
from trainers.problems import card_of

FEW_STONES = {"width": 4, "train_stones": 256, "validation_stones": 64, "test_stones": 64}
FEW_PAIRS = {"width": 4, "train_pairs": 64, "validation_pairs": 32, "test_pairs": 32}
FEW_TILES = {"side": 32, "stride": 64, "width": 2, "layers": 1}
OPTIONS: Mapping[str, dict[str, Any]] = {
    "diamonds-mini": FEW_STONES,
    "diamonds-five-mini": FEW_STONES,
    "motorcycle-mini": FEW_TILES,
    "celeba-mini": {"width": 4},
    "noisy-multimnist-mini": FEW_PAIRS,
    "adam-vs-sgd-mini": FEW_PAIRS,
    "adam-vs-sgd-mini-diamonds": FEW_STONES,
    "adam-vs-sgd-mini-motorcycle": FEW_TILES,
    "elich-multimnist-mini": FEW_PAIRS,
    "elich-motorcycle-mini": FEW_TILES,
}
"""What makes the problem of each preset small."""
MANY = ("motorcycle-mini", "celeba-mini", "adam-vs-sgd-mini-motorcycle")
"""Those whose single-task networks are left out: many, or too little trained to be relative to."""
WITH_ALL = ("noisy-multimnist-mini",)
"""Those whose question needs each of their methods."""
METHODS = ("ew", "scalarization", "uw-so")


def inline(value: Any) -> str:
    """A value as TOML has it on one line; what is None is left out of tables."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{k} = {inline(v)}' for k, v in value.items() if v is not None)} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(inline, value))}]"
    return json.dumps(value)


def short(name: str) -> dict[str, Any]:
    """The preset with one seed and epoch, three methods, and two values of what each tunes."""
    plain = presets()[name].model_dump(mode="json", exclude_unset=True)
    searches = []
    for part in plain["search"]:
        methods = part["weighting"] if isinstance(part["weighting"], list) else [part["weighting"]]
        stages = [_two_of_it(stage) for stage in part["stages"]]
        found = [method for method in methods if method in METHODS or name in WITH_ALL]
        searches += [{**part, "weighting": method, "stages": stages} for method in found]
    imported = {"baseline": {"metrics": _ones(plain["problem"])}} if name in MANY else {}
    return {
        **plain,
        **imported,
        "seeds": [0],
        "training": {**plain["training"], "epochs": 1},
        "problem_options": {**plain.get("problem_options", {}), **OPTIONS[name]},
        "search": searches,
        **_one_corruption(plain),
    }


def _one_corruption(plain: Mapping[str, Any]) -> dict[str, Any]:
    few = {"kinds": ["contrast"], "severities": [1], "epochs": 1}
    followups = [{**followup, **few} for followup in plain.get("followup", ())]
    return {"followup": followups} if followups else {}


def _ones(problem: str) -> dict[str, dict[str, float]]:
    tasks = card_of(ProblemRef(target=problem)).tasks
    return {task.name: {f'"{metric.name}"': 1.0 for metric in task.metrics} for task in tasks}


def _two_of_it(stage: Mapping[str, Any]) -> dict[str, Any]:
    few: dict[str, Any] = {}
    for key, form in stage.items():
        if key in ("strategy", "trials", "stop"):
            continue  # one epoch has no rung
        if isinstance(form, list):
            few[key] = form[:1] if key in ("lr", "weight_decay") else form[:2]
        elif "line" in form:
            few[key] = {"line": form["line"][:2]}
        else:
            few[key] = {"dirichlet": 2, "floor": 0.002}
    return few


@pytest.mark.parametrize("name", OPTIONS)
def test_its_searches_train_and_end(name: str, tmp_path: Path) -> None:
    lines = [f"{key} = {inline(value)}" for key, value in short(name).items() if value is not None]
    (tmp_path / "short.toml").write_text("\n".join(lines))
    said = command(tmp_path, "run", "short.toml", "--workers", "1")
    assert said.code == 0, said.err
    assert "0 failed, 0 left" in said.text
    if name.startswith("adam-vs-sgd"):
        found = command(tmp_path, "compare", "short.toml", "--json").json["optimizers"]
        assert (found["names"], len(found["pairs"])) == (["adam", "sgd"], 1)


def test_winners_are_followed_up_on_corrupted_images(tmp_path: Path) -> None:
    """The preset corruption-transfer-mini, on few pictures, two kinds and one severity."""
    plain = presets()["corruption-transfer-mini"].model_dump(mode="json", exclude_unset=True)
    few = {"width": 4, "train_pairs": 64, "validation_pairs": 32, "test_pairs": 32}
    followup = {**plain["followup"][0], "kinds": ["contrast", "pixelate"], "severities": [1]}
    short = {
        **plain,
        "tasks": ["left", "sum"],
        "problem_options": few,
        "seeds": [0, 1],
        "training": {"epochs": 1, "batch_size": 32},
        "search": [{"weighting": "ew", "stages": [{"lr": [0.01]}]}],
        "followup": [{**followup, "epochs": 1}],
    }
    lines = [f"{key} = {inline(value)}" for key, value in short.items()]
    (tmp_path / "short.toml").write_text("\n".join(lines))
    said = command(tmp_path, "run", "short.toml", "--workers", "1")
    assert "12 runs done, 0 diverged, 0 failed, 0 left" in said.text
    name = "corruption-transfer-mini"
    claims = command(tmp_path, "claims", name, "--json").json["studies"][name]
    (found,) = (claim for claim in claims if claim["claim"] == "C8")
    assert found["runs"][name] == [7, 8, 9, 10, 11, 12]
    assert found["finding"] in ("supported", "not supported", "undecided")
    assert "corruptions/" not in command(tmp_path, "compare", name).text
    assert command(tmp_path, "export", name, "-o", "runs.csv").text.startswith("Wrote runs.csv: 12")
    (head, *rows) = csv.reader((tmp_path / "runs.csv").read_text().splitlines())
    judged = [row[head.index("test_left_error_rate/pixelate/1")] != "" for row in rows]
    assert sum(judged) == 4, "of left alone and of all tasks, two seeds each"
    assert command(tmp_path, "report", name).code == 0
    assert "Corrupted images" in (tmp_path / "report.html").read_text()


def test_wrong_labels_are_found_and_written_down(tmp_path: Path) -> None:
    """The preset noisy-mini, one epoch a training, two of its searches and one seed."""
    plain = presets()["noisy-mini"].model_dump(mode="json", exclude_unset=True)
    few = {"epochs_per_round": 1, "passes": 2}
    kept = {part["name"]: part for part in plain["search"] if part["name"] in ("relabel", "to-end")}
    short = {
        **plain,
        "seeds": [0],
        "training": {"epochs": 2, "batch_size": 500},
        "search": [{**part, "hyper": {**part["hyper"], **few}} for part in kept.values()],
    }
    lines = [f"{key} = {inline(value)}" for key, value in short.items() if value is not None]
    (tmp_path / "short.toml").write_text("\n".join(lines))
    said = command(tmp_path, "run", "short.toml", "--workers", "1")
    assert "3 runs done, 0 diverged, 0 failed, 0 left" in said.text, said.err
    args = ("export", "noisy-mini", "-o", "suspects.csv", "--exhibit", "suspects")
    assert "the table suspects" in command(tmp_path, *args).text
    (head, *rows) = csv.reader((tmp_path / "suspects.csv").read_text().splitlines())
    assert head == ["index", "given", "proposed", "score"]
    assert all(0 <= int(row[0]) < 3_500 and int(row[1]) in range(10) for row in rows)
    assert command(tmp_path, "report", "noisy-mini").code == 0
    assert "How doubtful labels are" in (tmp_path / "report.html").read_text()


def test_lesions_are_located_and_shown(tmp_path: Path) -> None:
    """The preset lesions-mini, one epoch of few tiles, two of its searches and one seed."""
    plain = presets()["lesions-mini"].model_dump(mode="json", exclude_unset=True)
    few = {"width": 4, "train_tiles": 32, "validation_tiles": 24, "test_tiles": 24}
    kept = [part for part in plain["search"] if part["name"] in ("no-gate", "over-data")]
    short = {
        **plain,
        "seeds": [0],
        "problem_options": {**plain["problem_options"], **few},
        "training": {**plain["training"], "epochs": 1},
        "search": kept,
    }
    lines = [f"{key} = {inline(value)}" for key, value in short.items() if value is not None]
    (tmp_path / "short.toml").write_text("\n".join(lines))
    said = command(tmp_path, "run", "short.toml", "--workers", "1")
    assert "2 runs done, 0 diverged, 0 failed, 0 left" in said.text, said.err
    args = ("export", "lesions-mini", "-o", "found.csv", "--exhibit", "sensitivities")
    args += ("--search", "no-gate")
    assert "the table sensitivities" in command(tmp_path, *args).text
    (head, *rows) = csv.reader((tmp_path / "found.csv").read_text().splitlines())
    assert head[:4] == ["hit rule", "kind", "lesions", "sensitivity"]
    assert [row[0] for row in rows] == ["touching", "half", "centre"]
    assert command(tmp_path, "report", "lesions-mini").code == 0
    assert "FROC on test, epoch 1" in (tmp_path / "report.html").read_text()


def test_pairs_of_tasks_train_one_after_the_other(tmp_path: Path) -> None:
    """The preset gong-multimnist-mini, on fewer pictures and with two of its six studies left."""
    plain = presets()["gong-multimnist-mini"].model_dump(mode="json", exclude_unset=True)
    few = {"size": 14, "width": 4, "train_pairs": 64, "validation_pairs": 32, "test_pairs": 32}
    stages = [{"lr": [0.01]}]
    short = {
        **plain,
        "problem_options": few,
        "seeds": [0],
        "train_fraction": [0.5],
        "training": {"epochs": 1, "batch_size": 16},
        "search": [{"weighting": "ew", "stages": stages}],
    }
    lines = [f"{key} = {inline(value)}" for key, value in short.items() if value is not None]
    (tmp_path / "short.toml").write_text("\n".join(lines))
    name = "gong-multimnist-mini"
    planned = command(tmp_path, "plan", "short.toml")
    assert f"{name}.right-sum.0.5" in planned.text
    assert "3 studies, 9 runs expected" in planned.text
    said = command(tmp_path, "run", "short.toml", "--workers", "1")
    assert said.code == 0, said.err
    assert said.text.count("3 runs done, 0 diverged, 0 failed, 0 left.") == 3
    found = command(tmp_path, "compare", "short.toml", "--json").json
    (table,) = found["pairs"]
    assert (table["method"], table["labels"]) == ("EW", "0.5 of the labels")
    assert table["tasks"] == ["left", "right", "sum"]
    left, right, of_sum = table["values"]
    assert (left[0], right[1], of_sum[2]) == (None, None, None)
    assert left[1] == right[0] is not None
    assert "on pairs of tasks: EW" in command(tmp_path, "compare", "short.toml").text
    assert command(tmp_path, "report", "short.toml").code == 0
    assert "networks that learn two tasks" in (tmp_path / "report.html").read_text()
