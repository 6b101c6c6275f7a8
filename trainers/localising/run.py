"""One run's network and optimiser: trained on image labels alone, saved after each epoch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from trainers.engines.stepping import optimizer_of, restore, take_step
from trainers.errors import TaskMismatch
from trainers.jobs import Training
from trainers.keeping.checkpoints import load, misfit, save
from trainers.localising.maps import Floats
from trainers.localising.network import Looked, cam_network, labels_of, look
from trainers.problems import bce
from trainers.protocol import Problem
from trainers.randomness import Key
from trainers.reading import as_read
from trainers.resources import BACKWARD_PASSES, forward_flops

_CHECKPOINT, _REPORTED = "cam.pt", "reported"


class CamRun:
    """What is trained, epoch after epoch. It knows no lesions.

    Everything random is addressed by seed and epoch, so that a run that goes on from its checkpoint
    ends with the same bits.

    Args:
        task: Whose labels it learns.
        folder: Of the run.

    Attributes:
        epoch: Epochs that it has trained.
        best: Largest validation AUROC of the epochs that were reported; -1 before the first.
        is_reported: Whether the epoch has been reported, by this attempt or one before.
        n_samples: That the epoch was trained on.
        n_steps: Of the epoch.
        flops: Estimated operations of an epoch, looks at validation and test included.

    Raises:
        NoMaps: The problem's trunk gives no feature maps.
        TaskMismatch: A label is neither 0 nor 1.
        CheckpointUnreadable: The folder holds a checkpoint of another run.
    """

    def __init__(
        self,
        problem: Problem,
        task: str,
        params: Mapping[str, Any],
        *,
        seed: int,
        training: Training,
        device: torch.device,
        folder: Path,
    ) -> None:
        self._task, self._training, self._device, self._folder = task, training, device, folder
        self._key = Key(str(seed))
        self._sources = {
            split: as_read(source, device) for split, source in problem.sources(device).items()
        }
        some = next(self._sources["train"].batches(torch.arange(1), 1, self._key / "look"))
        self._network = cam_network(problem, self._key / "init", some.inputs.cpu()).to(device)
        group = {
            "params": [param for param in self._network.parameters() if param.requires_grad],
            "weight_decay": float(params["weight_decay"]),
        }
        self.flops = self._epoch_flops()
        self._optimizer = optimizer_of([group], training, lr=float(params["lr"]))
        self.epoch, self.best, self.is_reported = 0, -1.0, True
        self.n_samples, self.n_steps = 0, 0
        self._resume()

    def train_epoch(self) -> None:
        """Train the next epoch, and save what it has come to."""
        self.epoch, self.is_reported = self.epoch + 1, False
        self._network.train()
        source, size = self._sources["train"], self._training.batch_size
        generator = (self._key / "order" / self.epoch).generator()
        order = torch.randperm(source.size, generator=generator)
        (self._key / "dropout" / self.epoch).seed_global(self._device)
        self.n_samples, self.n_steps, n_with = len(order), 0, torch.zeros(2, dtype=torch.int64)
        for batch in source.batches(order, size, self._key / "augment" / self.epoch):
            labels = labels_of(batch, self._task)
            n_with += torch.stack([(labels == 0).sum(), (labels == 1).sum()]).cpu()
            self._step(batch, labels)
            self.n_steps += 1
        if not n_with.all():
            no, yes = n_with.tolist()
            raise TaskMismatch(
                "Trainer `cam` learns from images with label 0 and with label 1. Of task "
                f"{self._task} {no:,} training images have the one, {yes:,} the other. Add some of "
                "the kind that is missing, or split the data anew."
            )
        self._save()

    def _step(self, batch: Any, labels: Tensor) -> None:
        loss = bce(self._network(batch.inputs), labels)
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        take_step(self._optimizer, self._training)

    def _epoch_flops(self) -> float:
        forward = forward_flops(deepcopy(self._network), self._sources["train"])
        backward = 0 if self._network.trunk_frozen else BACKWARD_PASSES * forward
        sizes = {split: source.size for split, source in self._sources.items()}
        looked = sizes["validation"] + sizes["test"]
        return sizes["train"] * (forward + backward) + looked * forward

    def look(self, split: str) -> Looked:
        """What the network makes of a split now."""
        return look(
            self._network,
            self._sources[split],
            self._task,
            batch_size=self._training.eval_batch_size,
            key=self._key / "look" / split,
        )

    def images(self, split: str, numbers: Sequence[int]) -> Floats:
        """Some images of a split by number, ``[n, channels, H, W]``."""
        order, size = torch.tensor(numbers), self._training.eval_batch_size
        batches = self._sources[split].batches(order, size, self._key / "look" / split)
        return torch.cat([batch.inputs.float().cpu() for batch in batches]).numpy()

    def _save(self) -> None:
        state = {
            "network": self._network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "epoch": self.epoch,
            "best": self.best,
            "counts": [self.n_samples, self.n_steps],
        }
        save(state, str(self._folder / _CHECKPOINT))

    def note_reported(self) -> None:
        """Note that the epoch has been reported. A note that is lost has it reported twice."""
        self.is_reported = True
        with suppress(OSError):
            (self._folder / _REPORTED).write_text(json.dumps([self.epoch, self.best]))

    def _resume(self) -> None:
        place = self._folder / _CHECKPOINT
        if not place.exists():
            return
        state = load(str(place))
        try:
            self._network.load_state_dict(state["network"])
            restore(self._optimizer, state["optimizer"])
            self.epoch, self.best = int(state["epoch"]), float(state["best"])
            self.n_samples, self.n_steps = map(int, state["counts"])
        except (LookupError, RuntimeError, ValueError, TypeError) as error:
            raise misfit(str(place), error) from error
        reported, best = self._noted()
        self.is_reported = reported == self.epoch
        if self.is_reported:
            self.best = best

    def _noted(self) -> tuple[int, float]:
        """The epoch that was reported last, and the largest AUROC by then."""
        try:
            epoch, best = json.loads((self._folder / _REPORTED).read_text())
            return int(epoch), float(best)
        except (OSError, ValueError, TypeError):  # none was, or the note is torn
            return 0, -1.0
