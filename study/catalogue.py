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
from study.errors import BadSpec, UnknownStudyName
from trainers.suggestions import did_you_mean

if TYPE_CHECKING:  # the spec takes long to load; a stored study's name is found without it
    from storage import Reader, Storage
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


def started(reader: Reader | Storage, name: str, *, typed: str, storage: str) -> StudyRecord:
    """The stored study of that name.

    Args:
        typed: What a user has called it, such as its file.

    Raises:
        UnknownStudyName: It has not been started.
    """
    found = reader.find_study(name)
    if found is None:
        raise UnknownStudyName(
            f"The study {name!r} has not been started in {reader.url}. "
            f"Start it with: {command_line('run', typed, storage=storage)}"
        )
    return found


def preset_hidden(name: str, spec: StudySpec) -> str:
    """What to know where a stored study was found, and the preset of that name is another one.

    Args:
        name: What the user has called it.
        spec: What was found.

    Returns:
        A sentence and two ways out; empty if there is no such preset, or it extends the study.
    """
    if not (apart := _apart_from_preset(name, spec)):
        return ""
    rename = command_line("rename", name, "NEW_NAME")
    return (
        f"This is the study {name} that this database holds. The preset {name} is another one by "
        f"now, and {apart}. To run the preset, use another --storage, or first give the stored "
        f"study another name: `{rename}`."
    )


def refuse_to_hide_preset(name: str, spec: StudySpec) -> None:
    """Refuse a name for a study by which a preset would not be found any more.

    Raises:
        BadSpec: The preset of that name is another study.
    """
    if apart := _apart_from_preset(name, spec):
        raise BadSpec(
            f"A study must not hide a preset. Got the name {name!r}, and the preset {name} "
            f"{apart}. Choose another name."
        )


def renamed_away(name: str, *, storage: str) -> str:
    """What to know before a study begins whose name another one had until it was renamed.

    Returns:
        A sentence; empty if there is a study of that name, or none had it.
    """
    with reading(storage) as reader:
        if reader is None or reader.find_study(name) is not None:
            return ""
        by_birth = {record.birth: record.name for record in reader.studies()}
        last = next(
            (
                entry
                for entry in reversed(reader.audit(name))
                if entry.verb == "rename" and entry.before.get("name") == name
            ),
            None,
        )
    if last is None or last.birth not in by_birth:
        return ""
    now = by_birth[last.birth]
    return (
        f"The study that was called {name} until {last.made_at.astimezone():%Y-%m-%d %H:%M} is "
        f"{now} now, and keeps what it has trained: this begins a new one. To go on with that one, "
        f"write name = {now!r} into the file, or: `{command_line('run', now, storage=storage)}`."
    )


def _apart_from_preset(name: str, spec: StudySpec) -> str:
    """How the preset of that name differs; empty if there is none, or it extends the study."""
    if name not in _preset_names():
        return ""
    preset = _preset(name)
    if (preset.problem, preset.training) == (spec.problem, spec.training):
        return ""
    if preset.problem != spec.problem:
        return f"is on the problem {preset.problem}, not {spec.problem}"
    return "trains otherwise"


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
