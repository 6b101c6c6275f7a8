"""Where a study's checkpoints go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage.records import StudyRecord
from study.checkpoint_place import checkpoint_folder, checkpoint_place
from study.errors import BadSpec

BORN = datetime(2026, 1, 1, tzinfo=UTC)


def a_study(number: int = 1, born: datetime = BORN) -> StudyRecord:
    return StudyRecord(
        id=number,
        name="demo",
        spec={},
        card={},
        fingerprint="",
        created_at=born,
        birth=f"{number:032x}",
        key_name="demo",
        first_name="demo",
        plan="",
    )


def test_by_default_it_is_beside_the_database_file(tmp_path: Path) -> None:
    folder = checkpoint_folder(None, tmp_path / "w.db", a_study())
    assert folder == str(tmp_path / "w.checkpoints" / "demo")


def test_by_default_it_is_in_the_working_folder_for_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert checkpoint_folder(None, None, a_study()) == str(
        tmp_path / "weighbridge.checkpoints" / "demo"
    )


@pytest.mark.parametrize(
    "other", [a_study(2), a_study(1, BORN + timedelta(microseconds=1))], ids=["number", "time"]
)
def test_studies_of_one_name_do_not_share_a_folder(other: StudyRecord) -> None:
    given = "memory://bucket"
    mine, theirs = (checkpoint_folder(given, None, study) for study in (a_study(), other))
    assert mine.startswith("memory://bucket/demo-")
    assert mine != theirs


def test_a_study_keeps_its_folder() -> None:
    assert checkpoint_folder("/there", None, a_study()) == checkpoint_folder(
        "/there", Path("w.db"), a_study()
    )


def test_a_place_that_cannot_be_opened_is_refused() -> None:
    with pytest.raises(BadSpec, match="Install the package of its store"):
        checkpoint_place("nowhere://bucket")
