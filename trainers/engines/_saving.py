"""When checkpoints are due."""

from __future__ import annotations

from time import perf_counter

from trainers.jobs import Pack


class Saving:
    """Knows where a pack's checkpoints go, and when the next one is due."""

    def __init__(self, pack: Pack) -> None:
        self._pack = pack
        self._saved_at = perf_counter()

    def folder(self, epoch: int, *, stopping: bool) -> str | None:
        """Where to save after `epoch`; None if nothing is to be saved.

        A whole run needs no checkpoint; any other gets one at the end of its segment, when it
        is stopped, and from time to time.
        """
        pack = self._pack
        if pack.checkpoints is None or epoch >= pack.training.epochs:
            return None
        due = perf_counter() - self._saved_at >= pack.checkpoint_s
        if not (stopping or due or epoch == pack.until_epoch):
            return None
        return pack.checkpoints

    def saved(self) -> None:
        """A checkpoint was written just now."""
        self._saved_at = perf_counter()
