"""The solo engine: one run at a time, plain PyTorch.

Shapes: T tasks, B batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from trainers import checkpoints
from trainers.engines import _epoch
from trainers.engines._clock import Clock
from trainers.engines._compiling import compiled_solo
from trainers.engines._endings import Outcome, diverged, ended, not_saved, reached
from trainers.engines._forward import task_losses
from trainers.engines._precision import autocast, laid_out
from trainers.engines._saving import Saving
from trainers.engines.session import Session
from trainers.errors import CheckpointUnreadable
from trainers.evaluation import Value, evaluate, first_not_finite, storable
from trainers.events import (
    CheckpointSkipped,
    CheckpointWritten,
    EpochDone,
    Event,
    RunEnded,
    Seconds,
)
from trainers.jobs import Checkpoint, Job, Pack
from trainers.network import build_network
from trainers.optimizers import build_optimizer, lay_out, learning_rate, take_step
from trainers.protocol import Batch
from trainers.randomness import Key
from trainers.resources import peak_memory_bytes
from trainers.weightings import weighting


class SoloRun:
    """One run's network, optimiser and weighting, between two epochs."""

    def __init__(
        self, job: Job, pack: Pack, session: Session, resume: Checkpoint | None = None
    ) -> None:
        self.job, self.training, self.session = job, pack.training, session
        self.key = Key(str(pack.seed))
        self.functions = {task: session.problem.functions(task) for task in job.tasks}
        network = build_network(session.problem, job.tasks, self.key / "init")
        self.network = laid_out(network, session.device)
        self.compiled = (
            compiled_solo(session, job.tasks, pack.training) if pack.training.compile else None
        )
        self.weighting = weighting(job.weighting)
        hyper = self.weighting.checked(job.hyper, len(job.tasks))
        self.hyper = {name: self._tensor(value) for name, value in hyper.items()}
        self.params = {
            name: self._per_task(start).requires_grad_()
            for name, start in self.weighting.params(hyper).items()
        }
        self.state = {
            name: self._per_task(start) for name, start in self.weighting.state(hyper).items()
        }
        self.optimizer = build_optimizer(
            self.network.parameters(), self.params.values(), job=job, training=self.training
        )
        self.epoch = 0
        if resume is not None:
            self._restore(resume)

    def train_epoch(self) -> tuple[list[Value], int]:
        """Train one epoch; returns its train values and the number of steps."""
        self.epoch += 1
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(
                self.job.lr,
                self.training.schedule,
                epoch=self.epoch,
                epochs=self.training.epochs,
            )
        n_steps = _epoch.n_steps(self.session, self.training)
        noise = self._noise(n_steps)
        loss_sum, weight_sum = self._per_task(0.0), self._per_task(0.0)
        batches = _epoch.batches(self.session, self.training, self.key, self.epoch)
        for step, batch in enumerate(batches):
            losses, weights = self._step(batch, None if noise is None else noise[step])
            loss_sum += losses
            weight_sum += weights
        mean_losses = loss_sum / n_steps
        self.state = dict(self.weighting.end_epoch(self.state, mean_losses))
        weights_told = (weight_sum / n_steps).tolist()
        return _epoch.train_values(self.job.tasks, mean_losses.tolist(), weights_told), n_steps

    def evaluate(self, split: str) -> list[Value]:
        """Losses and metrics on one split."""
        with autocast(self.session.device, self.training.precision):
            return evaluate(
                self.network,
                self.session.sources[split],
                self.functions,
                split=split,
                batch_size=self.training.eval_batch_size,
            )

    def save(self, folder: Path) -> tuple[Checkpoint, int]:
        """Write a checkpoint named by run, attempt and epoch; returns it and its size in bytes."""
        path = folder / f"run{self.job.run}-token{self.job.token}-epoch{self.epoch}.pt"
        state = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "params": {name: value.detach() for name, value in self.params.items()},
            "state": self.state,
            "epoch": self.epoch,
        }
        size = checkpoints.save_runs({self.job.run: state}, path)
        return Checkpoint(path=str(path), epoch=self.epoch), size

    def _step(self, batch: Batch, noise: Tensor | None) -> tuple[Tensor, Tensor]:
        """One optimiser step; returns losses and loss weights, both ``[T]``, detached.

        The objective is differentiated with respect to the losses first: these derivatives are
        the loss weights, exactly what is recorded, and the seed of the network's backward pass.
        """
        losses = self._losses(batch)
        leaf = losses.detach().requires_grad_()
        objective = self.weighting.objective(
            leaf, hyper=self.hyper, params=self.params, state=self.state, noise=noise
        )
        weights, *gradients = torch.autograd.grad(objective, [leaf, *self.params.values()])
        self.optimizer.zero_grad(set_to_none=True)
        # a weighted sum has the same derivatives as `backward(losses, weights)`, which imports a
        # computer algebra system
        torch.autograd.backward((losses * weights).sum())
        for param, gradient in zip(self.params.values(), gradients, strict=True):
            param.grad = gradient
        if self.training.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.training.clip_norm)
        take_step(self.optimizer, self.training)
        return leaf.detach(), weights

    def _losses(self, batch: Batch) -> Tensor:
        """Task losses ``[T]``, to be differentiated."""
        with autocast(self.session.device, self.training.precision):
            if self.compiled is not None and self.compiled.takes(batch):
                self.compiled.begin_step()
                return self.compiled(self.network, batch.inputs, batch.targets)
            return task_losses(self.network(batch.inputs), batch.targets, self.functions)

    def _restore(self, checkpoint: Checkpoint) -> None:
        path = Path(checkpoint.path)
        file = checkpoints.load(path, str(self.session.device))
        try:
            state = checkpoints.state_of(self.job.run, file)
            self.network.load_state_dict(state["network"])
            self.optimizer.load_state_dict(state["optimizer"])
            lay_out(self.optimizer)
            with torch.no_grad():
                for name, param in self.params.items():
                    param.copy_(state["params"][name])
            self.state = dict(state["state"])
            self.epoch = int(state["epoch"])
        except (LookupError, RuntimeError, TypeError, ValueError) as error:
            raise checkpoints.misfit(path, error) from error

    def _noise(self, n_steps: int) -> Tensor | None:
        if not self.weighting.noise:
            return None
        return _epoch.noise(self.job, self.key, self.epoch, n_steps).to(self.session.device)

    def _tensor(self, value: Any) -> Tensor:
        return torch.tensor(value, dtype=torch.get_default_dtype(), device=self.session.device)

    def _per_task(self, start: float) -> Tensor:
        return self._tensor([start] * len(self.job.tasks))


def train_run(job: Job, pack: Pack, session: Session) -> Iterator[Event]:
    """Train one run up to the pack's `until_epoch`, reporting each epoch.

    The generator's consumer may ask `session` to stop between epochs; the run is then saved and
    released.
    """
    clock = Clock(session)
    for resume in (*job.resume, None):
        try:
            run = SoloRun(job, pack, session, resume)
            break
        except CheckpointUnreadable as error:
            path = "" if resume is None else resume.path
            yield CheckpointSkipped(run=job.run, token=job.token, path=path, reason=str(error))
    flops = session.epoch_flops(run.network)
    startup_s, saving = clock.lap(), Saving(pack)
    while run.epoch < pack.until_epoch:
        train_values, n_steps = run.train_epoch()
        train_s = clock.lap()
        values = train_values + run.evaluate("validation")
        validation_s = clock.lap()
        what = first_not_finite(values)
        values += storable(run.evaluate("test"))
        seconds = Seconds(
            startup_s=startup_s, train_s=train_s, validation_s=validation_s, test_s=clock.lap()
        )
        startup_s = 0.0
        if what:
            yield diverged(job, what, epoch=run.epoch, seconds=seconds, device=session.device)
            return
        yield EpochDone(
            run=job.run,
            token=job.token,
            epoch=run.epoch,
            values=tuple(values),
            seconds=seconds,
            samples=session.sources["train"].size,
            grad_evals=n_steps,
            flops=flops,
        )
        stopping = session.stop_requested() and run.epoch < pack.until_epoch
        folder = saving.folder(run.epoch, stopping=stopping)
        if folder is not None:
            yield _saved(run, folder, clock)
            saving.saved()
        if stopping:
            yield _ended(run, "released", clock)
            return
    yield _ended(run, reached(run.epoch, pack), clock)


def _saved(run: SoloRun, folder: Path, clock: Clock) -> CheckpointWritten | CheckpointSkipped:
    try:
        checkpoint, size = run.save(folder)
    except OSError as error:
        return not_saved(run.job, folder, error)
    return CheckpointWritten(
        run=run.job.run,
        token=run.job.token,
        checkpoint=checkpoint,
        size_bytes=size,
        seconds=Seconds(checkpoint_s=clock.lap()),
    )


def _ended(run: SoloRun, outcome: Outcome, clock: Clock) -> RunEnded:
    return ended(
        run.job,
        outcome,
        epoch=run.epoch,
        seconds=Seconds(diagnostics_s=clock.lap()),
        peak_memory_bytes=peak_memory_bytes(run.session.device),
    )
