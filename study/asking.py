"""Asks verbs of the command line for what takes long, each in a process of its own.

What it needs, pandas or a user's own modules, is loaded there, and its memory is given back.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from typing import Any

from study.commands import STORAGE_VARIABLE
from study.errors import StudyError

_DEADLINE_S = 120.0


class NotAnswered(StudyError):
    """A verb had no answer; the text says why."""


class Asking:
    """Asks about the studies of one database.

    Args:
        storage: Its URL, which reaches the process by its environment: it may hold a password.
    """

    def __init__(self, storage: str) -> None:
        self._environment = {**os.environ, STORAGE_VARIABLE: storage}
        self._lock = threading.Lock()  # of all below
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False

    def ask(self, verb: str, study: str) -> Any:
        """What a verb says of a study with ``--json``.

        Raises:
            NotAnswered: It says nothing, or not in time, or nothing is to be asked any more.
        """
        try:
            process = self._begun([sys.executable, "-P", "-m", "study.cli", verb, study, "--json"])
            out, trouble = process.communicate(timeout=_DEADLINE_S)
            return json.loads(out)
        except ValueError:
            said = trouble.decode(errors="replace").strip()
            raise NotAnswered(said.removeprefix("error ") or f"{verb} said nothing.") from None
        except (OSError, subprocess.SubprocessError) as error:
            raise NotAnswered(f"{verb} could not be asked: {error}.") from error
        finally:
            self._kill()

    def headline(self, study: str) -> str:
        """What `compare` says of a study in a sentence or two; empty where it says nothing."""
        try:
            return str(self.ask("compare", study)["sentence"])
        except NotAnswered:
            return ""

    def leave(self) -> None:
        """End a process that is at work: nobody wants its answer any more."""
        self._kill()

    def end(self) -> None:
        """End a process that is at work; no other one begins."""
        with self._lock:
            self._ended = True
        self._kill()

    def _begun(self, command: list[str]) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._ended:
                raise NotAnswered("Nothing is asked any more: whoever wanted to know has ended.")
            # a session of its own, so that Ctrl-C at a terminal does not reach it
            self._process = subprocess.Popen(
                command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            return self._process

    def _kill(self) -> None:
        if (process := self._process) is not None and process.poll() is None:
            process.kill()
            process.wait()
