"""One run in one of the processes that train it together.

Weightings look at the losses of the whole batch, so these are added up before they are weighed:
each process then finds the same weights, and its backward pass gives its part of the gradient.

The order of the samples and the bounds of the batches are those of one process; each process takes
its rows of every batch.

Shapes: T tasks, N samples, B rows of a batch.
"""

from __future__ import annotations

import traceback
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property

import torch
import torch._dynamo  # by the wrapper at its first use, which a run would pay for
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from trainers.engines import masks, one_epoch
from trainers.engines.fused.forward import task_losses
from trainers.engines.fused.padding import a_network, samples
from trainers.engines.masks import Present
from trainers.engines.session import Session
from trainers.engines.solo.group import RunGroup
from trainers.engines.solo.run import SoloRun
from trainers.errors import NotParallel, PeerFailed
from trainers.evaluation import Value
from trainers.failures import as_failure, told
from trainers.protocol import Batch, Source
from trainers.randomness import Key


class ParallelRun(SoloRun):
    """A run that trains on this process's share of every batch.

    Its state is that of a run of the solo engine, whatever the number of processes.
    """

    def join(self, group: RunGroup) -> None:
        """Begin to share; all processes stand at the same state, and call this together."""
        self.group = group
        if self.session.device.type == "cuda":
            nn.SyncBatchNorm.convert_sync_batchnorm(self.network, group.data)  # type: ignore[no-untyped-call]
        self._shared = DistributedDataParallel(
            self.network,
            process_group=group.data,
            forward_sync_buffers=False,  # a process may be busy with an exception then
            find_unused_parameters=self._leaves_some_out(),
        )
        # a mean over valid elements is made of those of the processes by their counts
        self._counting = any(of.valid_elements is not None for of in self.functions.values())
        self._shares = Shares(
            n_samples=self.training.samples_of(self.session.sources["train"].size),
            batch_size=self.training.batch_size,
            rank=group.rank,
            size=group.size,
        )

    def train_epoch(self) -> list[Value] | Exception:
        """Train one epoch; returns the train values, the same in all processes.

        An exception in the data, the network or a loss ends the epoch for all; it is returned.
        """
        self.begin_epoch(len(self._shares))
        for buffer in self.network.buffers():
            self.group.align(buffer)
        with closing(self._batches()) as batches:
            for part in self._shares.parts:
                if (error := self._take(batches, part)) is not None:
                    return error
        return self.end_epoch()

    def _batches(self) -> Generator[Batch]:
        """This process's part of the epoch; seeds what the network draws, for it alone."""
        order = one_epoch.order(self.session, self.training, self.key, self.epoch, self.job.tasks)
        dropout = self.key / "dropout" / self.epoch / "rank" / self.group.rank
        dropout.seed_global(self.session.device)
        source, augment = self.session.sources["train"], self.key / "augment" / self.epoch
        yield from self._shares.batches(source, order, augment)

    def _take(self, batches: Iterator[Batch], part: float) -> Exception | None:
        """Take one step, if nobody has met an exception on the way to its losses."""
        failure: Exception | None = None
        counts: dict[str, int] = {}
        try:
            batch = next(batches)
            counts = masks.elements(batch.targets, self.functions)
            self.there = masks.present_by(counts, self.functions)
            losses = self._losses(batch, self.there)
        except BaseException as raised:
            error = as_failure(raised)
            traceback.clear_frames(error.__traceback__)  # they hold tensors
            failure, losses = error, self._per_task(0.0)
        shares = self._tensor([counts.get(task, part) for task in self.functions])
        failed = self._tensor([float(failure is not None)])
        of_all = [losses.detach() * shares, *([shares] if self._counting else []), failed]
        added = self.group.add_up(torch.cat(of_all))
        if added[-1] > 0:
            return self._agreed(failure)
        whole = added[: len(losses)]
        if self._counting:
            n_elements = added[len(losses) : -1]
            of_tasks = dict(zip(self.functions, n_elements.tolist(), strict=True))
            self.there = masks.present_by(of_tasks, self.functions)
            n_elements = n_elements.masked_fill(n_elements == 0, 1.0)
            whole, losses = whole / n_elements, losses * (shares / n_elements / part)
        weights, gradients = self._weigh(whole, next(self._noise))
        # what follows divides the sum of all processes' gradients by their number
        self._descend([(losses * weights).sum() * (part * self.group.size)], gradients)
        self._note(whole.detach(), weights)
        return None

    def _losses(self, batch: Batch, there: Present) -> Tensor:
        """Task losses ``[T]`` of this process's rows, to be differentiated."""
        with self._cast():
            outputs = self._shared(batch.inputs)
            return task_losses(outputs, batch.targets, self.functions, there)

    def _agreed(self, failure: Exception | None) -> Exception:
        """This process's exception, or what the first of the others says of its own."""
        texts = self.group.told("" if failure is None else told(failure))
        if failure is not None:
            return failure
        rank, text = next((rank, text) for rank, text in enumerate(texts) if text)
        return PeerFailed(f"{text} (in process {rank} of 0 to {self.group.size - 1})")

    def _leaves_some_out(self) -> bool:
        """Whether no loss depends on some parameter, for which nobody should wait; all agree."""
        try:
            found = self._some_unused()
        except BaseException:  # which training will meet again, and tell
            found = False
        return bool(self.group.add_up(self._tensor([float(found)])) > 0)

    def _some_unused(self) -> bool:
        network, batch = a_network(self.session, self.job.tasks), samples(self.session, 2)
        with self._cast():
            losses = task_losses(network(batch.inputs), batch.targets, self.functions)
        learned = [param for param in network.parameters() if param.requires_grad]
        found = torch.autograd.grad(losses.sum(), learned, allow_unused=True)
        return any(gradient is None for gradient in found)


def refuse_unshared(session: Session) -> None:
    """Refuse networks that several processes cannot train on this device.

    Raises:
        NotParallel: It normalises over batches, on a CPU.
    """
    if session.device.type == "cuda":
        return
    network = a_network(session, session.problem.card.task_names)
    names = [name for name, module in network.named_modules() if isinstance(module, _BatchNorm)]
    if names:
        raise NotParallel(
            "`data_parallel` needs a batch normalisation that spans processes, which torch has for "
            f"GPUs only. The network has one ({names[0]}), and trains on "
            f"{session.device.type}. Use GPUs, or a normalisation by sample such as GroupNorm, or "
            "drop `data_parallel`."
        )


@dataclass(frozen=True)
class Shares:
    """One process's rows of all batches.

    Shares differ by one row at most. A last batch that has fewer rows than there are processes
    goes to all of them, since none may stand aside while the others take a step.

    Attributes:
        n_samples: N.
        batch_size: Rows of a whole batch, at least one a process.
        rank: Of this process.
        size: Number of processes.
    """

    n_samples: int
    batch_size: int
    rank: int
    size: int

    def __len__(self) -> int:
        """Batches of an epoch."""
        return -(-self.n_samples // self.batch_size)

    @cached_property
    def parts(self) -> list[float]:
        """Of each batch, what this process's mean counts in the mean over the batch.

        Over all processes they sum to 1.
        """
        whole, rest = divmod(self.n_samples, self.batch_size)
        return [self._part(self.batch_size)] * whole + [self._part(rest)] * (rest > 0)

    def batches(self, source: Source, order: Tensor, key: Key) -> Iterator[Batch]:
        """This process's rows of each batch.

        Args:
            order: ``[N]`` sample numbers, of the whole epoch.
            key: As for `Source.batches`.
        """
        n_whole = self.n_samples - self.n_samples % self.batch_size
        if n_whole:
            first, last = self._bounds(self.batch_size)
            rows = order[:n_whole].view(-1, self.batch_size)[:, first:last]
            yield from source.batches(rows.reshape(-1), last - first, key)
        if n_whole < self.n_samples:
            first, last = self._bounds(self.n_samples - n_whole)
            yield from source.batches(order[n_whole:][first:last], last - first, key)

    def _bounds(self, n_rows: int) -> tuple[int, int]:
        """First row of a batch, and the one after the last."""
        if n_rows < self.size:
            return 0, n_rows
        least, more = divmod(n_rows, self.size)
        first = self.rank * least + min(self.rank, more)
        return first, first + least + (self.rank < more)

    def _part(self, n_rows: int) -> float:
        first, last = self._bounds(n_rows)
        return 1 / self.size if n_rows < self.size else (last - first) / n_rows
