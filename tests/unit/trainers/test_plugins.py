"""Entry points of installed distributions, as a package manager leaves them on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainers.plugins import offered, offered_by_name

GROUP = "weighbridge.tests"


def install(site: Path, distribution: str, *entries: str, group: str = GROUP) -> None:
    info = site / f"{distribution}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("\n".join([f"[{group}]", *entries]))


def targets() -> list[str]:
    return [entry.value for entry in offered(GROUP)]


def test_all_distributions_offer_and_names_are_sorted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "one", "b = one:B")
    install(tmp_path, "other", "c = other:C", "a = other:A")
    install(tmp_path, "foreign", "d = foreign:D", group="elsewhere")
    assert targets() == []
    monkeypatch.syspath_prepend(tmp_path)
    assert targets() == ["other:A", "one:B", "other:C"]
    assert [*offered_by_name(GROUP)] == ["a", "b", "c"]


def test_of_two_copies_the_first_on_the_path_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "old", "one", "a = one:Old")
    install(tmp_path / "new", "one", "a = one:New")
    monkeypatch.syspath_prepend(tmp_path / "old")
    monkeypatch.syspath_prepend(tmp_path / "new")
    assert targets() == ["one:New"]


def test_the_working_folder_is_looked_into_where_imports_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second"):
        install(tmp_path / name, name, f"a = {name}:A")
    monkeypatch.syspath_prepend("")
    monkeypatch.chdir(tmp_path / "first")
    assert targets() == ["first:A"]
    monkeypatch.chdir(tmp_path / "second")
    assert targets() == ["second:A"]
