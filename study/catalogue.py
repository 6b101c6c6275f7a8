"""Finds a study by what a user calls it: a file, a stored study, or a preset."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from storage import DatabaseUnusable
from storage.records import Calibration, StudyRecord
from study.errors import UnknownStudyName
from study.spec import StudySpec, parse, parse_toml, read
from trainers.hints import did_you_mean

if TYPE_CHECKING:
    from storage import Reader

_PRESETS = files("study") / "presets"


@dataclass(frozen=True, slots=True)
class Found:
    """A spec, and the folder where a user's own problem may lie."""

    spec: StudySpec
    folder: str | None


def presets() -> dict[str, StudySpec]:
    """The shipped studies by name."""
    names = sorted(entry.name for entry in _PRESETS.iterdir() if entry.name.endswith(".toml"))
    return {name.removesuffix(".toml"): _preset(name.removesuffix(".toml")) for name in names}


def preset_text(name: str) -> str:
    """The text of a shipped study."""
    return (_PRESETS / f"{name}.toml").read_text(encoding="utf-8")


def find(name: str, *, storage: str) -> Found:
    """Look for a TOML file, then a stored study, then a preset.

    Raises:
        UnknownStudyName: None of them; with what there is.
        BadSpec: It is found, but has errors.
    """
    path = Path(name)
    if path.suffix == ".toml" or path.is_file():
        if not path.exists():
            raise UnknownStudyName(
                f"There is no file {name}. `weighbridge init {name}` writes one to start from."
            )
        return Found(read(path), str(path.resolve().parent))
    stored = _stored(storage)
    if name in stored:
        return Found(stored[name], str(Path.cwd()))
    known = presets()
    if name in known:
        return Found(known[name], None)
    names = [*stored, *known]
    raise UnknownStudyName(
        f"There is no study {name!r}.{did_you_mean(name, names)} It would be a TOML file, a "
        f"stored study ({', '.join(stored) or 'none yet'}) or a preset ({', '.join(known)})."
    )


def stored_packs(
    storage: str, name: str, shapes: Collection[str]
) -> tuple[StudyRecord | None, list[Calibration]]:
    """What a database holds of a study and of the packs of its networks."""
    with _reader(storage) as reader:
        if reader is None:
            return None, []
        record = next((record for record in reader.studies() if record.name == name), None)
        return record, [found for shape in shapes for found in reader.calibrations(shape)]


def _stored(storage: str) -> dict[str, StudySpec]:
    with _reader(storage) as reader:
        return {
            record.name: parse(record.spec, source=f"of the stored study {record.name}")
            for record in (reader.studies() if reader is not None else ())
        }


@contextmanager
def _reader(storage: str) -> Iterator[Reader | None]:
    """The database, or None if there is none yet."""
    if _is_missing_file(storage):
        yield None
        return
    from storage import Reader  # SQLAlchemy loads with it; a fresh folder does without

    try:
        reader = Reader(storage)
    except DatabaseUnusable as error:
        if not error.missing:
            raise
        yield None
        return
    try:
        yield reader
    finally:
        reader.close()


def _is_missing_file(storage: str) -> bool:
    prefix = "sqlite:///"
    return storage.startswith(prefix) and not Path(storage.removeprefix(prefix)).exists()


def _preset(name: str) -> StudySpec:
    return parse_toml(preset_text(name), source=f"preset {name}")
