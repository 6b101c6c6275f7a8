"""What a worker prints, user's code included: kept in a file a run, beside the run's other files.

A worker prints into a file that its driver reads when the worker has died. At every report, what is
new there is moved to the files of the runs that were trained meanwhile; runs that are trained
together have all of it each. What nobody has moved is the last that a worker has said.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from trainers.jobs import Job
from trainers.keeping import paths

MOST_BYTES = 64 * 1024
"""Of a run's output, over all its attempts; what is newest stays."""
_CUT = b"... what was printed before is cut\n"
_ANY_TEXT: Any = {"encoding": "utf-8", "errors": "backslashreplace", "line_buffering": True}


class Printed:
    """What this process prints.

    Args:
        descriptor: A file into which it prints and nobody else; None if there is none.
    """

    def __init__(self, descriptor: int | None = None) -> None:
        self._descriptor, self._moved = descriptor, 0

    @classmethod
    def into(cls, descriptor: int) -> Printed:
        """Let this process print into a file: any text, line by line, so that nothing is lost."""
        for number, stream in ((1, sys.stdout), (2, sys.stderr)):
            os.dup2(descriptor, number)
            with contextlib.suppress(AttributeError):  # somebody else's stream
                stream.reconfigure(**_ANY_TEXT)  # type: ignore[union-attr]
        return cls(descriptor)

    def flush(self) -> None:
        """Write what is waiting in the streams; what user's code has closed is there again.

        A stream of its own that user's code has put in a stream's place stays, and its errors are
        its own affair.
        """
        if self._descriptor is None:
            return
        for number, name in ((1, "stdout"), (2, "stderr")):
            if not _is_open(number):
                os.dup2(self._descriptor, number)
            stream = getattr(sys, name)
            if not _can_print(stream):
                stream = io.TextIOWrapper(io.FileIO(number, "w", closefd=False), **_ANY_TEXT)
                setattr(sys, name, stream)
            with contextlib.suppress(Exception):
                stream.flush()

    @contextlib.contextmanager
    def moved(self) -> Iterator[bytes]:
        """What was printed since the last call, the newest of it, to be kept inside the block.

        The file is emptied after the block: by a death inside it, text may stand twice, but none is
        lost. Nor is what a thread or a child prints meanwhile: then the file is emptied later.
        """
        if self._descriptor is None:
            yield b""
            return
        self.flush()
        size = os.fstat(self._descriptor).st_size
        begin = max(self._moved, size - MOST_BYTES)
        text = os.pread(self._descriptor, size - begin, begin)
        yield text if begin == self._moved else _CUT + text
        if os.fstat(self._descriptor).st_size > size:
            self._moved = size
        elif size:
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)  # where all who share it go on
            self._moved = 0


def _can_print(stream: object) -> bool:
    try:
        return stream is not None and not getattr(stream, "closed", False)
    except ValueError:  # its buffer was taken away
        return False


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def place_of_output(folder: str, file_name: str) -> str:
    """Where a run's output is kept."""
    return paths.inside(folder, f"{file_name}.output")


class RunOutput:
    """The output of a pack's runs.

    A file behind a URL cannot be written on at its end: there it is written when a run ends.

    Args:
        folder: Of the study's files; None keeps nothing.
        jobs: The runs by number.
    """

    def __init__(self, folder: str | None, jobs: Mapping[int, Job]) -> None:
        self._folder, self._jobs = folder, jobs
        self._waiting: dict[int, bytes] = {}
        self._begun: set[int] = set()

    def keep(self, text: bytes, runs: Collection[int], *, over: Collection[int] = ()) -> None:
        """Keep what was printed while runs were trained.

        Args:
            over: Runs that have ended.
        """
        if self._folder is None:
            return
        for run in runs if text else ():
            before = self._waiting.get(run, b"") or self._heading(run)
            self._waiting[run] = before + text
        late = paths.is_url(self._folder)
        for run in [run for run in self._waiting if not late or run in over]:
            place = place_of_output(self._folder, self._jobs[run].file_name)
            add_to(place, self._waiting.pop(run))

    def _heading(self, run: int) -> bytes:
        if run in self._begun:
            return b""
        self._begun.add(run)
        n_runs = len(self._jobs)
        beside = f", in a pack of {n_runs}" if n_runs > 1 else ""
        return f"--- attempt {self._jobs[run].token}{beside} ---\n".encode()


def add_to(place: str, text: bytes) -> None:
    """Add to a file, of which no more than the newest `MOST_BYTES` stay.

    Output is no result: where it cannot be kept, training goes on without a word, which would go
    the same way.
    """
    with contextlib.suppress(OSError):
        before = b""
        with contextlib.suppress(FileNotFoundError):
            before = paths.content(place)
        whole = before + text
        paths.put(place, whole if len(whole) <= MOST_BYTES else _CUT + whole[-MOST_BYTES:])
