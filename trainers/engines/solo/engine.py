"""The solo engine: each run is a network of its own, in plain PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from trainers.engines.fused.member import newest
from trainers.engines.session import Session
from trainers.engines.solo.beyond_losses import AfterStepRun, GradientRun, PerTaskRun
from trainers.engines.solo.lockstep import Lockstep
from trainers.engines.solo.run import SoloRun
from trainers.engines.weighting_outputs import refuse_misfit
from trainers.events import CheckpointSkipped
from trainers.jobs import Checkpoint, Job, Pack
from trainers.keeping import checkpoints
from trainers.optimizers import optimizer
from trainers.weightings import Weighting, weighting

RUNS: Mapping[str, type[SoloRun]] = {
    "loss": SoloRun,
    "gradient": GradientRun,
    "after-step": AfterStepRun,
}
"""How a step is taken, by what it is weighed by."""


def begun(job: Job, pack: Pack, session: Session) -> SoloRun:
    """A run at its beginning, of the class that gives weighting and optimiser what they need.

    Raises:
        WeightingError: The weighting is unknown, a hyperparameter breaks its rule, the pack has
            what it is not trained with, or it returns what no step can use.
        UnfitOptimizer: The optimiser needs each task's own gradient, which the run does not give.
    """
    method = fitting(job, pack)
    splits = optimizer(pack.training.optimizer, pack.training.folder).splits_tasks(pack.training)
    return (PerTaskRun if splits else RUNS[method.level])(job, pack, session)


def fitting(job: Job, pack: Pack) -> Weighting:
    """The weighting of a run, with which this engine can train it.

    Raises:
        WeightingError: As `begun`.
    """
    method, n_tasks = weighting(job.weighting, job.folder), len(job.tasks)
    method.refuse_unless_fit("solo", pack.training)
    refuse_misfit(method, method.checked(job.hyper, n_tasks), n_tasks, stacked=False)
    return method


class Solos:
    """Makes runs of a pack, and lets them go in step."""

    def __init__(self, pack: Pack, session: Session) -> None:
        self._pack, self._session = pack, session
        self._files = checkpoints.Files()

    def opened(self, job: Job, skip: Callable[[CheckpointSkipped], None]) -> SoloRun:
        """A run, from the newest checkpoint that can be used; `skip` is told of the others."""
        resumed = newest(job, lambda checkpoint: self._resumed(job, checkpoint), skip)
        return resumed or self._begun(job)

    def together(self, runs: Sequence[SoloRun]) -> Lockstep:
        """Runs that stand at the same epoch, in step."""
        return Lockstep(runs, self._session, self._pack.training)

    def _begun(self, job: Job) -> SoloRun:
        return begun(job, self._pack, self._session)

    def _resumed(self, job: Job, checkpoint: Checkpoint) -> SoloRun:
        file = self._files.content(checkpoint.path)
        run = self._begun(job)
        try:
            run.restore(checkpoints.state_for(job, checkpoint, file))
        except (LookupError, RuntimeError, TypeError, ValueError) as error:
            raise checkpoints.misfit(checkpoint.path, error) from error
        return run
