"""What a run has reported, written down beside its folder.

A function that resumes by itself goes on behind its last step. Reports of the moment before a kill
may not have reached the database by then, and the function will not make them again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from trainers.functions._report import Reported
from trainers.jobs import Job


class Journal:
    """The reports of one run, over all its attempts.

    Args:
        folder: Where checkpoints go; without one, nothing is written down.
    """

    def __init__(self, folder: str | None, job: Job) -> None:
        self._path = None if folder is None else Path(folder) / f"{job.file_name}.reports"
        self._recorded = job.recorded

    def add(self, said: Reported) -> None:
        """Write a report down."""
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                # on a line of its own, even behind one within which the writer was killed
                file.write("\n" + json.dumps([said.step, said.seconds, said.values]))

    def skipped(self, step: int) -> list[Reported]:
        """Reports before a step that are not known yet, by step; of one step the last."""
        found = {said.step: said for said in self._read()}
        return [said for _, said in sorted(found.items()) if self._recorded < said.step < step]

    def _read(self) -> Iterator[Reported]:
        if self._path is None:
            return
        try:
            text = self._path.read_text(encoding="utf-8")
        except OSError:  # there is none yet, or none can be
            return
        for line in text.splitlines():
            try:
                step, seconds, values = json.loads(line)
            except ValueError:
                continue  # blank, or torn
            yield Reported(step=step, seconds=seconds, values=tuple(map(tuple, values)))
