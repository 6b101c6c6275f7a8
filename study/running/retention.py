"""Which checkpoint files are kept: two a run, and no more bytes than a cap.

A run's newest checkpoint is what a resume starts from; the one before serves if that is torn. Files
of finished runs go at once. Over the cap the second ones go first, then those of runs in training,
longest untouched first: these begin again if they are interrupted, which changes no result. Runs
that are paused at a rung, or were put back, go on from their files for certain: theirs go last.

The rows decide, not the folder: a file goes after its row has, so that no resume names a file that
is gone, and a file whose row is still to be written is left alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from storage import RunState
from storage.records import CheckpointFile
from trainers.keeping import paths

if TYPE_CHECKING:
    from storage import Storage

KEPT_A_RUN = 2
_KINDS = ("run", "pack-run")
"""How names of files begin; a pack's is named for the first of its runs."""
_GOES_ON = frozenset({RunState.PAUSED, RunState.WAITING})
_OVER = frozenset({RunState.DONE, RunState.DIVERGED, RunState.PRUNED})


class Retention:
    """Keeps a study's checkpoints within their limits.

    Args:
        folder: Where the study's checkpoint files are, a path or a URL.
        cap_bytes: Most that they may take.
    """

    def __init__(self, storage: Storage, study_id: int, folder: str, *, cap_bytes: int) -> None:
        self._storage, self._study_id = storage, study_id
        self._folder, self._cap_bytes = folder, cap_bytes
        self._due = True  # another driver may have left files of runs that are over
        self._holding = False  # whether there are files that some run may go on from
        self._over: set[int] = set()

    def written(self) -> None:
        """A checkpoint has been reported."""
        self._due = True

    def over(self, run: int) -> None:
        """A run is done, diverged or pruned: it will never go on."""
        self._over.add(run)

    def tidy(self, *, refused: Collection[int] = ()) -> None:
        """Remove what is superfluous, once all that was reported is in the database.

        Args:
            refused: Runs with refused reports: another attempt may go on from their files.
        """
        # without a file that was reported, only such as a killed worker has left: see `sweep`
        written = self._due or self._holding
        left = self._files_of(self._over - {*refused}) if written else set()
        # a run may be the last to need the file of a pack, which is named for another run
        due = self._due or left or (self._over and self._holding)
        self._over.clear()
        if due:
            self._due = False
            rows = self._storage.checkpoint_files(self._study_id)
            gone = superfluous(rows, cap_bytes=self._cap_bytes)
            if gone:
                self._storage.forget_checkpoints(gone)
            needed = {row.path for row in rows} - {*gone}  # by other runs too
            self._holding = bool(needed)
            self._remove({*gone} | (left - needed))

    def sweep(self) -> None:
        """Remove files without a row once nobody trains: none is still to be written for them.

        Drivers and workers that were killed leave such.
        """
        files = paths.starting(self._folder, _KINDS)  # before the rows: they come after files
        rows = {row.path for row in self._storage.checkpoint_files(self._study_id)}
        self._remove({file for file in files if "-token" in file} - rows)

    def _remove(self, files: Collection[str]) -> None:
        # others lie on another host, or where an earlier command put them
        paths.remove([file for file in files if paths.folder_of(file) == self._folder])

    def _files_of(self, runs: Collection[int]) -> set[str]:
        """All files named for runs, half-written ones and such without a row included."""
        return paths.starting(
            self._folder, [f"{kind}{run}-token" for run in runs for kind in _KINDS]
        )


def superfluous(files: Sequence[CheckpointFile], *, cap_bytes: int) -> list[str]:
    """Paths that may go: of finished runs, beyond two a run, and beyond `cap_bytes` for all.

    Args:
        files: Oldest first; a file that several runs share stands once a run, and stays as long
            as one of them keeps it.
    """
    place: dict[str, int] = {}  # of a path among its run's, 0 for the newest; the best of its runs
    seen: dict[int, int] = {}
    needed: set[str] = set()  # the newest of runs that go on from it
    by_age = sorted(enumerate(files), key=lambda entry: (entry[1].epoch, entry[0]))
    for _, file in reversed(by_age):
        if file.state in _OVER:
            continue
        rank = seen.get(file.run, 0)
        seen[file.run] = rank + 1
        place[file.path] = min(rank, place.get(file.path, rank))
        if rank == 0 and file.state in _GOES_ON:
            needed.add(file.path)
    firm = {path for path, rank in place.items() if rank < KEPT_A_RUN}
    kept = {file.path: file.size_bytes for file in files if file.path in firm}
    total = sum(kept.values())
    # oldest first among equals
    for path in sorted(kept, key=lambda path: (-place[path], path in needed)):
        if total <= cap_bytes:
            break
        total -= kept.pop(path)
    return [path for path in dict.fromkeys(file.path for file in files) if path not in kept]
