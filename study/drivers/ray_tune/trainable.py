"""Ray's door for training: a function trainable of Ray Tune runs without Ray.

``tune.report``, ``tune.get_checkpoint`` and ``tune.get_context`` look for the session of their
process; here it is one that reports to the study. No cluster is begun.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ray import tune
from ray.train._internal import session as ray_session

from trainers.functions import Report, tell_returned

_LATEST = "checkpoint"


class TuneSession:
    """What Ray Tune's functions ask for while a trainable runs.

    Attributes:
        world_rank: None, by which Ray knows a session of Tune.
        trial_dir: The run's own folder.
    """

    world_rank = None
    experiment_name = "weighbridge"
    trial_resources = None

    def __init__(self, name: str, folder: Path, report: Report) -> None:
        self.trial_name = self.trial_id = name
        self.trial_dir = str(folder)
        self._folder, self._report, self._n_before = folder, report, 0
        self._restore()

    @property
    def loaded_checkpoint(self) -> Any:
        """What was reported last, in this attempt or an earlier one; None for nothing."""
        latest = self._folder / _LATEST
        return tune.Checkpoint(latest) if latest.is_dir() else None

    def report(self, metrics: Mapping[str, Any], checkpoint: Any = None) -> None:
        """One more step: its checkpoint first, then its metrics."""
        step = self._n_before + 1 if not self._report.step else self._report.step + 1
        if checkpoint is not None:
            self._keep(checkpoint, step)
        numbers = {
            name: value
            for name, value in metrics.items()
            if isinstance(value, int | float) or hasattr(value, "item")
        }
        self._report(step, numbers)

    def _keep(self, checkpoint: Any, step: int) -> None:
        """Put a checkpoint in the place of the last one; half of one is never seen."""
        aside, latest = self._folder / "checkpoint.part", self._folder / _LATEST
        shutil.rmtree(aside, ignore_errors=True)
        checkpoint.to_directory(aside)
        (aside / ".weighbridge-step").write_text(str(step))
        older = self._folder / "checkpoint.old"
        shutil.rmtree(older, ignore_errors=True)
        if latest.exists():
            latest.rename(older)
        aside.rename(latest)
        shutil.rmtree(older, ignore_errors=True)

    def _restore(self) -> None:
        """Go on counting where the checkpoint was, an older one if a kill left only that."""
        latest, older = self._folder / _LATEST, self._folder / "checkpoint.old"
        if not latest.exists() and older.exists():
            older.rename(latest)
        counted = latest / ".weighbridge-step"
        if counted.exists():
            self._n_before = int(counted.read_text())


def call(
    function: Callable[..., Any],
    params: Mapping[str, Any],
    seed: int,
    folder: Path,
    report: Report,
) -> None:
    """Call ``trainable(config)``; the config holds the run's ``seed`` as well.

    A trainable that reports nothing may return its metrics.
    """
    with _in_session(TuneSession(folder.name, folder, report)):
        tell_returned(function({"seed": seed, **params}), report)


@contextmanager
def _in_session(session: TuneSession) -> Iterator[None]:
    holder: Any = ray_session  # which is typed for sessions of Ray's own
    before, holder._session = holder._session, session
    try:
        yield
    finally:
        holder._session = before
