from __future__ import annotations

import importlib
import os
import subprocess
import sys
import warnings
from pathlib import Path
from types import ModuleType

import pytest

import trainers.weightings
from trainers.weightings import (
    BadWeighting,
    UnknownWeighting,
    Weighting,
    names,
    weighting,
)
from trainers.weightings._registry import plugins, scan

OF_LOSSES = {"dwa", "ew", "gls", "imtl-l", "rlw", "scalarization", "uw", "uw-o", "uw-so"}
BUILTIN = {*OF_LOSSES, "famo", "pcgrad"}
FOLDER = Path(trainers.weightings.__file__).parent
ROOT = FOLDER.parents[1]


def package(folder: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str]) -> ModuleType:
    """A fresh package of weightings, importable for one test."""
    name = f"weightings_of_{folder.name}"
    (folder / name).mkdir()
    for file, text in {"__init__.py": "", **files}.items():
        (folder / name / file).write_text(text)
    monkeypatch.syspath_prepend(folder)
    return importlib.import_module(name)


def renamed(name: str) -> str:
    """The text of `uw_so.py`, copied for a method of another name."""
    return (FOLDER / "uw_so.py").read_text().replace('"uw-so"', f'"{name}"')


def offer(folder: Path, monkeypatch: pytest.MonkeyPatch, entry: str, text: str) -> None:
    """Install a distribution with one plugin module and one entry point."""
    module = entry.partition(" = ")[2].partition(":")[0]
    (folder / f"{module}.py").write_text(text)
    info = folder / "plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[weighbridge.weightings]\n{entry}\n")
    monkeypatch.syspath_prepend(folder)


def test_the_weightings_are_known() -> None:
    assert set(names()) >= BUILTIN
    levels = {name: weighting(name).level for name in BUILTIN - OF_LOSSES}
    assert levels == {"famo": "after-step", "pcgrad": "gradient"}
    assert {weighting(name).level for name in OF_LOSSES} == {"loss"}


@pytest.mark.parametrize("name", sorted(BUILTIN))
def test_a_file_is_called_like_its_weighting(name: str) -> None:
    assert type(weighting(name)).__module__.endswith("." + name.replace("-", "_"))


@pytest.mark.parametrize("name", names())
def test_a_weighting_introduces_itself(name: str) -> None:
    method = weighting(name)
    assert method.name == name
    assert method.title
    assert method.paper


def test_an_unknown_weighting_is_answered_with_the_nearest_and_all() -> None:
    with pytest.raises(
        UnknownWeighting, match=r"Did you mean `uw-so`\? Known: aligned-mtl, .*uw-so"
    ):
        weighting("uwso")


def test_copying_one_file_adds_a_weighting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more = package(
        tmp_path, monkeypatch, {"uw_so.py": renamed("uw-so"), "mine.py": renamed("mine")}
    )
    assert set(scan(more)) == {"uw-so", "mine"}


def test_a_copy_that_keeps_its_name_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = package(tmp_path, monkeypatch, {"a.py": renamed("same"), "b.py": renamed("same")})
    with pytest.raises(BadWeighting, match=r"\.b and .*\.a both set `name` to 'same'"):
        scan(more)


def test_private_modules_and_errors_are_not_scanned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert scan(package(tmp_path, monkeypatch, {"_shared.py": "x = 1", "errors.py": ""})) == {}


def test_an_imported_weighting_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = renamed("mine") + "\nfrom trainers.weightings.uw import UW\n"
    assert set(scan(package(tmp_path, monkeypatch, {"mine.py": text}))) == {"mine"}


@pytest.mark.parametrize(
    ("text", "found"),
    [("", "none"), (renamed("one") + "\nclass Two(UWSO):\n    name = 'two'\n", "UWSO, Two")],
)
def test_a_module_must_define_one_weighting(
    text: str, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadWeighting, match=f"exactly one concrete Weighting. Found: {found}"):
        scan(package(tmp_path, monkeypatch, {"odd.py": text}))


def test_a_weighting_without_title_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = renamed("mine").replace('title = "UW-SO"', "")
    with pytest.raises(BadWeighting, match="Missing: title"):
        scan(package(tmp_path, monkeypatch, {"mine.py": text}))


def test_a_plugin_adds_a_weighting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(tmp_path, monkeypatch, "mine = plugin_good:UWSO", renamed("mine"))
    assert isinstance(plugins(taken=BUILTIN)["mine"], Weighting)


@pytest.mark.parametrize(
    ("entry", "text", "reason"),
    [
        ("bad = plugin_raises:UWSO", "raise OSError('no disk')", "OSError: no disk"),
        ("bad = plugin_empty:UWSO", "", "AttributeError"),
        ("bad = plugin_number:UWSO", "UWSO = 3", "3 must be a concrete subclass"),
        ("bad = plugin_taken:UWSO", renamed("uw"), "The name 'uw' is taken"),
    ],
)
def test_a_broken_plugin_is_named_and_skipped(
    entry: str, text: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(tmp_path, monkeypatch, entry, text)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = plugins(taken=BUILTIN)
    assert found == {}
    (message,) = [str(warning.message) for warning in caught]
    assert "plugin `bad`" in message
    assert reason in message


def run(code: str, *paths: Path) -> str:
    """What `code` prints in a fresh interpreter."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, *paths)))}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout.strip()


def test_names_and_checks_leave_torch_unloaded() -> None:
    code = (
        "import sys; from trainers.weightings import names, weighting\n"
        "for name in names(): weighting(name).hypers\n"
        "weighting('uw-so').checked({'temperature': 2.0}, 3)\n"
        "print('torch' in sys.modules)"
    )
    assert run(code) == "False"


def test_names_hold_the_plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(tmp_path, monkeypatch, "mine = plugin_listed:UWSO", renamed("mine"))
    code = "from trainers.weightings import names; print('mine' in names())"
    assert run(code, tmp_path) == "True"
