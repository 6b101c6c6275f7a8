"""Loads a stored study for the verbs that report; pandas is imported here and not before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from storage import without_password
from storage.database.plain_urls import shown_file
from study.catalogue import find, reading, started, stored_name
from study.errors import StudyError

if TYPE_CHECKING:
    from reports import StudyFrames

_OF: Final = "::"


@contextmanager
def opened(study: str, storage: str) -> Iterator[StudyFrames]:
    """The frames of a stored study; errors of reports become errors of the command.

    Raises:
        UnknownStudyName: It has not been started.
        StudyError: Reports cannot be made of it.
    """
    from reports import ReportError, load
    from storage import Reader

    name = stored_name(study, storage=storage)
    reader = Reader(storage)
    try:
        started(reader, name, typed=study, storage=storage)
        yield load(reader, name)
    except ReportError as error:
        raise StudyError(str(error)) from error
    finally:
        reader.close()


@contextmanager
def opened_all(words: Sequence[str], storage: str) -> Iterator[Mapping[str, StudyFrames]]:
    """The frames of several stored studies, each as `placed` takes it.

    They are labelled by their names; where names are shared, by what was typed.

    Raises:
        UnknownStudyName: One has not been started.
        StudyError: One is named twice, or reports cannot be made of it.
    """
    if twice := [word for word, n in Counter(words).items() if n > 1]:
        raise StudyError(f"{without_password(twice[0])} is named twice. Name each study once.")
    with ExitStack() as stack:
        found = [
            (word, stack.enter_context(opened(*placed(word, storage=storage)))) for word in words
        ]
        names = Counter(frames.name for _, frames in found)
        yield {
            without_password(word) if names[frames.name] > 1 else frames.name: frames
            for word, frames in found
        }


def named_each(words: Sequence[str], *, storage: str) -> list[str]:
    """What was typed, with the studies that a spec asks in its place, as far as they have begun."""
    return [name for word in words for name in _named(word, storage)]


def _named(word: str, storage: str) -> Iterator[str]:
    if _OF in word:
        yield word
        return
    with reading(storage) as reader:
        stored = {record.name for record in (reader.studies() if reader is not None else ())}
    if word in stored:
        yield word
        return
    found = find(word, storage=storage)
    from study.planning.members import (
        members,  # takes long to load, and a stored study does without
    )
    from study.spec.asked import asks_several

    begun = [
        one.name
        for one in (members(found.spec, folder=found.folder) if asks_several(found.spec) else [])
        if one.name in stored
    ]
    yield from begun or [word]


def placed(word: str, *, storage: str) -> tuple[str, str]:
    """What names a study, and the URL of its database, which ``DATABASE::STUDY`` brings with it.

    Args:
        word: As it was typed; a database in it is a URL or the path of a file.
        storage: URL of the database of all others.

    Raises:
        StudyError: The database or the study is left out, or there is no such file.
    """
    if _OF not in word:
        return word, storage
    database, _, study = word.rpartition(_OF)
    if not (database and study):
        raise StudyError(
            f"A study of another database is written DATABASE{_OF}STUDY, with a file or a URL. "
            f"Got {without_password(word)!r}, where one of both is missing."
        )
    if "://" in database:
        return study, database
    if not Path(database).exists():
        raise StudyError(
            f"There is no study database {database}, where {study} was looked for. "
            f"DATABASE{_OF}STUDY names a file, or a URL such as postgresql://user@host/name."
        )
    return study, shown_file(Path(database))
