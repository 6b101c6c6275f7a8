"""Finds a study by what a user calls it: a file, a stored study, or a preset."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from storage import DatabaseUnusable, database_file
from storage.records import Calibration, SearchRecord, StudyRecord, TrainedWith
from study.commands import command_line
from study.errors import UnknownStudyName
from trainers.suggestions import did_you_mean

if TYPE_CHECKING:  # the spec takes long to load; a stored study's name is found without it
    from storage import Reader
    from study.spec.study_spec import StudySpec

_PRESETS = files("study") / "presets"
_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Found:
    """A spec, and the folder where a user's own problem may lie."""

    spec: StudySpec
    folder: str | None


def presets() -> dict[str, StudySpec]:
    """The shipped studies by name."""
    return {name: _preset(name) for name in _preset_names()}


def preset_text(name: str) -> str:
    """The text of a shipped study."""
    return (_PRESETS / f"{name}.toml").read_text(encoding="utf-8")


def find(name: str, *, storage: str) -> Found:
    """Look for a TOML file, then a stored study, then a preset.

    What ends in ``.toml`` or has a slash is a file, if it is there; all else is first a name, so
    that no file in the working folder hides a stored study.

    Raises:
        UnknownStudyName: None of them; with what there is.
        BadSpec: It is found, but has errors.
    """
    from study.spec.study_spec import parse

    path = Path(name)
    is_path = path.suffix.lower() == ".toml" or path.name != name
    if is_path and _exists(path):
        return _in_file(path)
    stored = _stored(storage)
    if name in stored:
        spec = parse(stored[name].spec, source=f"of the stored study {name}")
        return Found(spec, str(Path.cwd()))
    if not is_path and name in _preset_names():
        return Found(_preset(name), None)
    if _exists(path) and not path.is_dir():
        return _in_file(path)
    raise UnknownStudyName(_unknown(name, is_path, list(stored)))


def stored_name(name: str, *, storage: str) -> str:
    """The name under which a study is stored, whatever its spec may say by now.

    Raises:
        UnknownStudyName: No file, stored study or preset has that name.
        BadSpec: A file is meant, and has errors.
    """
    path = Path(name)
    if path.name == name and path.suffix.lower() != ".toml" and name in _stored(storage):
        return name
    return find(name, storage=storage).spec.name


def preset_hidden(name: str, spec: StudySpec) -> str:
    """What to know where a stored study was found, and the preset of that name is another one.

    Args:
        name: What the user has called it.
        spec: What was found.

    Returns:
        A sentence and two ways out; empty if there is no such preset, or it extends the study.
    """
    if name not in _preset_names():
        return ""
    preset = _preset(name)
    if (preset.problem, preset.training) == (spec.problem, spec.training):
        return ""
    apart = "trains otherwise"
    if preset.problem != spec.problem:
        apart = f"is on the problem {preset.problem}, not {spec.problem}"
    rename = command_line("rename", name, "NEW_NAME")
    return (
        f"This is the study {name} that this database holds. The preset {name} is another one by "
        f"now, and {apart}. To run the preset, use another --storage, or first give the stored "
        f"study another name: `{rename}`."
    )


def _in_file(path: Path) -> Found:
    from study.spec.study_spec import read

    return Found(read(path), str(path.resolve().parent))


def _exists(path: Path) -> bool:
    """Whether there is something at a path; one that no system could have is just not there."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _unknown(name: str, is_path: bool, stored: Sequence[str]) -> str:
    if is_path:
        init = command_line("init", name if name.endswith(".toml") else f"{name}.toml")
        return f"There is no file {name}. `{init}` writes one to start from."
    known = _preset_names()
    return (
        f"There is no study {name!r}.{did_you_mean(name, [*stored, *known])} It would be a TOML "
        f"file, a stored study ({_some(stored)}) or a preset ({', '.join(known)})."
    )


def _some(names: Sequence[str]) -> str:
    """The last few of many names."""
    if len(names) <= _MOST_NAMED:
        return ", ".join(names) or "none yet"
    return f"{len(names)}, the last of them {', '.join(names[-_MOST_NAMED:])}"


def stored_packs(
    storage: str, name: str, shapes: Collection[str]
) -> tuple[list[SearchRecord], list[Calibration]]:
    """What a database holds of a study's searches and of the packs of its networks."""
    with reading(storage) as reader:
        if reader is None:
            return [], []
        record = next((record for record in reader.studies() if record.name == name), None)
        searches = [] if record is None else reader.searches(record.id)
        return searches, [found for shape in shapes for found in reader.calibrations(shape)]


def stored_code(storage: str, name: str) -> list[TrainedWith]:
    """With what code of the user's own a stored study's runs were trained."""
    with reading(storage) as reader:
        records = () if reader is None else reader.studies()
        found = [record.id for record in records if record.name == name]
        return reader.trained_with(found[0]) if reader is not None and found else []


def _stored(storage: str) -> dict[str, StudyRecord]:
    with reading(storage) as reader:
        return {record.name: record for record in (reader.studies() if reader is not None else ())}


@contextmanager
def reading(storage: str) -> Iterator[Reader | None]:
    """The database, open to read, or None if there is none yet."""
    file = database_file(storage)
    if file is not None and not file.exists():
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


def _preset_names() -> list[str]:
    files = (Path(entry.name) for entry in _PRESETS.iterdir())
    return sorted(file.stem for file in files if file.suffix == ".toml")


def _preset(name: str) -> StudySpec:
    from study.spec.study_spec import parse_toml

    return parse_toml(preset_text(name), source=f"preset {name}")
