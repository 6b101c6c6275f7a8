"""Loads a stored study for the verbs that report; pandas is imported here and not before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from study.catalogue import stored_name
from study.commands import command_line
from study.errors import StudyError, UnknownStudyName

if TYPE_CHECKING:
    from reports import StudyFrames


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
        if name not in [record.name for record in reader.studies()]:
            raise UnknownStudyName(
                f"The study {name!r} has not been started in {reader.url}. "
                f"Start it with: {command_line('run', study, storage=storage)}"
            )
        yield load(reader, name)
    except ReportError as error:
        raise StudyError(str(error)) from error
    finally:
        reader.close()
