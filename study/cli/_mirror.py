"""``run --mirror``: finished trials go into an Optuna database while the study is under way.

A thread of the command looks at the study database as any reader does. Whatever happens to the
mirror, the study goes on: that it cannot be written is said once, and it catches up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from storage import StorageError, database_file, without_password
from storage.wording import counted
from study.cli._optuna import PREFIX, checked, optuna_study
from study.errors import ExportRefused
from study.spec.study_spec import parse

if TYPE_CHECKING:
    from storage import Reader
    from study.searches.optuna_export import OptunaStudy
    from study.searches.optuna_mirror import OptunaMirror

_FILE: Final = "sqlite:///"
_EVERY_S: Final = 1.0
_SHARE: Final = 0.1
"""Most of the time that looks may take, in a large study."""
_LAST_S: Final = 60.0
"""For what ended last, when the study has ended."""
_FINAL: Final = ("done", "diverged", "pruned")


def mirror_url(written: str, storage: str) -> str:
    """The URL of the Optuna database that ``--mirror`` names.

    Raises:
        ExportRefused: It is none, or the study database itself.
    """
    if not written.startswith(PREFIX):
        raise ExportRefused(
            f"A mirror is an Optuna database. Got {without_password(written)!r}. "
            f"Write --mirror {PREFIX}sqlite:///trials.db."
        )
    return _absolute(checked(written.removeprefix(PREFIX), storage, what="A mirror"))


def _absolute(url: str) -> str:
    """The same database wherever the process stands: a user's code may leave its folder."""
    path, mark, rest = url.removeprefix(_FILE).partition("?")
    return f"{_FILE}{Path(path).resolve()}{mark}{rest}" if url.startswith(_FILE) else url


@contextmanager
def mirrored(
    name: str, *, storage: str, url: str | None, say: Callable[[str], None]
) -> Iterator[None]:
    """Mirror a study as long as the block runs, and then what ended last.

    Args:
        url: Of the Optuna database; None to mirror nothing.
        say: Told in a sentence that the mirror cannot be written, and that it is again.
    """
    if url is None:
        yield
        return
    over = threading.Event()
    follower = Follower(name, storage=storage, url=url, say=say)
    thread = threading.Thread(target=follower.follow, args=(over,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(_LAST_S)
        if thread.is_alive() or follower.behind:
            say(
                f"The mirror {without_password(url)} lacks what ended last. The next "
                "`run --mirror` adds it."
            )


class Follower:
    """Looks at a study whenever something has changed, and writes what has ended.

    Attributes:
        behind: Whether the last look could not be written.
    """

    def __init__(self, name: str, *, storage: str, url: str, say: Callable[[str], None]) -> None:
        self._name, self._storage, self._url, self._say = name, _absolute(storage), url, say
        self._mirror: OptunaMirror | None = None
        self._seen: int | None = None
        self._told = False  # that it cannot be written
        self.behind = False

    def follow(self, over: threading.Event) -> None:
        """Look until it is over, and once more."""
        pause_s = _EVERY_S
        while not over.wait(pause_s):
            began_s = time.monotonic()
            self.look()
            pause_s = max(_EVERY_S, (time.monotonic() - began_s) / _SHARE)
        self.look()

    def look(self) -> None:
        """Write what has ended since the last look; what cannot be is said, and tried again."""
        try:
            n_new = self._look()
        except StorageError:  # of the study database, whose outages the command tells itself
            self.behind, self._seen = True, None
            return
        except Exception as error:  # whatever it is, the study goes on
            self.behind, self._seen = True, None
            if not self._told:
                self._told = True
                self._say(
                    f"The mirror cannot be written: {error} The study goes on, and the mirror "
                    "catches up."
                )
            return
        if self._told:
            caught_up = counted(n_new, "trial")
            self._say(f"The mirror is written again: it has caught up with {caught_up}.")
        self.behind = self._told = False

    def _look(self) -> int:
        file = database_file(self._storage)
        if file is not None and not file.exists():
            return 0  # not begun yet
        from storage import Reader

        reader = Reader(self._storage)
        try:
            record = next((one for one in reader.studies() if one.name == self._name), None)
            if record is None:
                return 0  # not begun yet
            number = reader.change_numbers().get(record.id)
            if number is not None and number == self._seen:
                return 0
            if self._mirror is None:
                from study.searches.optuna_mirror import OptunaMirror  # loads Optuna

                self._mirror = OptunaMirror(self._url, record.birth)
            written = self._mirror.write(self._ended(reader, self._mirror))
            self._seen = number
            return written
        finally:
            reader.close()

    def _ended(self, reader: Reader, mirror: OptunaMirror) -> list[OptunaStudy]:
        """Every search with its finished trials that the mirror lacks, in the order of numbers."""
        from reports import load
        from reports.trials import trials

        frames = load(reader, self._name)
        spec = parse(frames.spec, source=f"of the stored study {self._name}")
        found = []
        for search in trials(frames, courses=True):
            name = f"{self._name}/{search.search}"
            ended = [
                row
                for row in search.trials
                if row.state in _FINAL
                and (row.state != "done" or row.value is not None)
                and mirror.lacks(name, row.number)
            ]
            found.append(optuna_study(frames, spec, replace(search, trials=tuple(ended))))
        return found
