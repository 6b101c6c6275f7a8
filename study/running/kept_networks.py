"""Which networks of finished runs are kept: of the selected epochs, of winners, under a cap.

A worker keeps a run's network at every epoch that may be selected. Once the run has a score, that
of the selected epoch stays; once its trial is beaten, none does. As with checkpoints the rows
decide, not the folder: a file goes after its row has.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from storage.records import StoredNetwork
from storage.wording import counted
from study.deciding.trials import Contest
from study.spec.study_spec import KeepSpec
from trainers.keeping import paths

if TYPE_CHECKING:
    from storage import Storage

_KIND = "network-run"
"""How names of files begin."""
_MOST_NAMED = 1_000
"""Runs that are looked up one by one; of more, all files are read."""


class NetworkRetention:
    """Keeps a study's networks to what [keep] says.

    Args:
        folder: Where the study's files are, a path or a URL.
        say: Told what is dropped for want of room.
    """

    def __init__(
        self,
        storage: Storage,
        study_id: int,
        folder: str,
        keep: KeepSpec,
        *,
        say: Callable[[str], None],
    ) -> None:
        self._storage, self._study_id, self._folder = storage, study_id, folder
        self._keep, self._cap_bytes, self._say = keep, int(keep.cap_mib * 2**20), say
        self._outclassed: frozenset[int] = frozenset()
        self._baseline: str | None = None
        self._told = False

    def tidy(
        self, ended: Collection[int] | None, contests: Iterable[Contest], *, baseline: str
    ) -> None:
        """Drop what is superfluous, once ended runs are scored as far as they can be.

        Args:
            ended: Runs that have ended since the last call; None for all.
            baseline: Hash of the one in force, by which epochs are selected.
        """
        sets = [*contests]
        best = frozenset().union(*(one.best for one in sets))
        outclassed = frozenset().union(*(one.outclassed for one in sets))
        touched = {*(ended or ()), *(outclassed - self._outclassed)}
        anew = ended is None or baseline != self._baseline
        self._outclassed, self._baseline = outclassed, baseline
        if not (touched or anew):
            return
        runs = None if anew or len(touched) > _MOST_NAMED else touched
        files = self._storage.network_files(self._study_id, runs=runs)
        self._drop(superfluous(files, self._keep, outclassed=outclassed))
        if self._storage.network_bytes(self._study_id) > self._cap_bytes:
            self._drop_over_cap(best)

    def tell_lacking(self, contests: Iterable[Contest]) -> None:
        """Say of how many best trials' runs the network of the selected epoch is not there."""
        best = {run for one in contests for run in one.best}
        if self._keep.networks == "none" or not best:
            return
        files = self._storage.network_files(self._study_id, runs=best)
        if lacking := best - {one.run for one in files if one.file.epoch == one.selected}:
            self._say(
                f"Of {counted(len(best), 'run')} of best trials, {len(lacking)} have no network of "
                "their selected epoch; `weighbridge network --retrain` trains one of them again."
            )

    def sweep(self) -> None:
        """Remove what is left once nobody trains: files without a row, for which none is to come.

        And what a driver that has died did not drop.
        """
        files = paths.starting(self._folder, [_KIND])  # before the rows: they come after files
        stored = self._storage.network_files(self._study_id)
        self._remove(files - {one.file.path for one in stored})
        self._drop(superfluous(stored, self._keep, outclassed=self._outclassed))

    def _drop_over_cap(self, best: Collection[int]) -> None:
        files = self._storage.network_files(self._study_id)
        gone = over_cap(files, cap_bytes=self._cap_bytes, best=best)
        self._drop(gone)
        if not self._told:
            self._told = True
            n_runs = len({one.run for one in gone})
            self._say(
                f"Networks of finished runs take more than [keep] `cap_mib`, "
                f"{self._keep.cap_mib:g} MiB. Some are dropped, of {counted(n_runs, 'run')} by "
                "now, those of best trials last. Raise it to keep more from now on."
            )

    def _drop(self, gone: Sequence[StoredNetwork]) -> None:
        if not gone:
            return
        records = self._storage.searches(self._study_id)
        begun_from = {
            one.path for record in records if record.initial for one in record.initial.networks
        }
        files = [path for one in gone if (path := one.file.path) not in begun_from]
        self._storage.forget_networks(files)
        self._remove(files)

    def _remove(self, files: Collection[str]) -> None:
        # others lie on another host, or where an earlier command put them
        paths.remove([file for file in files if paths.folder_of(file) == self._folder])


def superfluous(
    files: Sequence[StoredNetwork], keep: KeepSpec, *, outclassed: Collection[int]
) -> list[StoredNetwork]:
    """Those that nobody asks for: of other epochs than the selected one, and of beaten trials."""
    return [
        one
        for one in files
        if keep.networks == "none"
        or one.selected not in (None, one.file.epoch)
        or (keep.networks == "winners" and one.run in outclassed)
    ]


def over_cap(
    files: Sequence[StoredNetwork], *, cap_bytes: int, best: Collection[int]
) -> list[StoredNetwork]:
    """Those that go until the others fit: oldest first, of best trials last.

    Args:
        files: Oldest first.
    """
    total, gone = sum(one.file.size_bytes for one in files), list[StoredNetwork]()
    for one in sorted(files, key=lambda one: one.run in best):
        if total <= cap_bytes:
            break
        total -= one.file.size_bytes
        gone.append(one)
    return gone
