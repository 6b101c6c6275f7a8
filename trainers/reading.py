"""Reads batches that are expensive to make: ahead of the network, and onto its device.

A thread makes the next batches while the network trains; all that is random in them is addressed
by a key, so that it does not matter when they are made.

Batches come to a GPU beside the computation, on a stream of their own: on the computation's, a copy
waits for all that was asked for before it, and what comes after it waits for the copy. Not measured
on a GPU.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from threading import Semaphore, Thread, current_thread
from typing import ClassVar, Generic, TypeVar

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map_only

from trainers.protocol import Batch, Source
from trainers.randomness import Key

AHEAD = 3
"""Batches that may be ready, or be made, beside the one that is trained on."""

T = TypeVar("T")


def is_streamed(source: Source) -> bool:
    """Whether a source says that its batches are expensive to make."""
    return bool(getattr(source, "streamed", False))


def as_read(source: Source, device: torch.device) -> Source:
    """The source as engines read it: nobody else holds the batches, streamed ones come ahead."""
    return ReadAhead(source, device) if is_streamed(source) else Copied(source)


@dataclass(frozen=True, slots=True)
class Copied:
    """A source in memory whose batches are copies: networks and losses may write into theirs."""

    source: Source

    @property
    def size(self) -> int:
        """Number of samples."""
        return self.source.size

    def batches(self, order: Tensor | None, batch_size: int, key: Key) -> Iterator[Batch]:
        """Copies of the source's batches, in an order ``[N]`` by number or as they are stored."""
        return map(owned, self.source.batches(order, batch_size, key))


@dataclass(frozen=True, slots=True)
class ReadAhead:
    """A streamed source whose batches are made in a thread and come to the device."""

    source: Source
    device: torch.device

    streamed: ClassVar[bool] = True

    @property
    def size(self) -> int:
        """Number of samples."""
        return self.source.size

    def batches(self, order: Tensor | None, batch_size: int, key: Key) -> Iterator[Batch]:
        """The source's batches on the device, in an order ``[N]`` by number or as they are stored.

        The thread ends with this generator.
        """
        make = partial(self._made, order, batch_size, key)
        if self.device.type == "cuda":
            copies = Copies(self.device)
            with closing(ahead(lambda: map(copies.send, make()), device=self.device)) as sent:
                yield from map(copies.receive, sent)
            return
        with closing(ahead(make, device=self.device)) as made:
            for batch in made:
                yield to_device(batch, self.device)

    def _made(self, order: Tensor | None, batch_size: int, key: Key) -> Iterator[Batch]:
        batches = self.source.batches(order, batch_size, key)
        return batches if getattr(self.source, "fresh", False) else map(owned, batches)


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch on its way.

    Attributes:
        batch: Its tensors on the GPU, which may still be empty.
        arrived: When the copies are done.
    """

    batch: Batch
    arrived: torch.cuda.Event


class Copies:
    """Sends batches from the thread that reads, and receives them in the one that computes."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def send(self, batch: Batch) -> Sent:
        """Begin to copy a batch, out of memory that a GPU can read by itself."""

        def there(tensor: Tensor) -> Tensor:
            if tensor.is_cuda:
                return tensor
            return tensor.pin_memory().to(self._device, non_blocking=True)

        with torch.cuda.stream(self._stream):
            return Sent(_mapped(batch, there), self._stream.record_event())

    def receive(self, sent: Sent) -> Batch:
        """The batch; what is computed from now on waits for it, and this thread does not."""
        computing = torch.cuda.current_stream(self._device)
        computing.wait_event(sent.arrived)
        for leaf in tree_leaves((sent.batch.inputs, dict(sent.batch.targets))):
            if isinstance(leaf, Tensor):
                leaf.record_stream(computing)  # its memory is not given away before it was read
        return sent.batch


def to_device(batch: Batch, device: torch.device) -> Batch:
    """The batch on a device."""
    return _mapped(batch, lambda tensor: tensor.to(device, non_blocking=True))


def owned(batch: Batch) -> Batch:
    """A copy of the batch; what was one tensor in it is one in the copy."""
    made: dict[int, Tensor] = {}

    def copied(tensor: Tensor) -> Tensor:
        if id(tensor) not in made:
            made[id(tensor)] = tensor.clone()
        return made[id(tensor)]

    return _mapped(batch, copied)


def _mapped(batch: Batch, change: Callable[[Tensor], Tensor]) -> Batch:
    """The batch with each of its tensors changed."""
    return Batch(
        tree_map_only(Tensor, change, batch.inputs),
        tree_map_only(Tensor, change, dict(batch.targets)),
    )


def ahead(
    make: Callable[[], Iterable[T]],
    *,
    most: int = AHEAD,
    device: torch.device | None = None,
) -> Generator[T]:
    """What `make` gives, made by a thread before it is asked for.

    The thread ends with its last item, or when the generator is closed, after the item that it is
    making then. An error of `make` is raised here, with its own traceback, after the items before
    it.

    Args:
        most: Items that may be made before they are taken.
        device: Where pinned memory will be copied to.
    """
    items = _Items(make, most, device)
    thread = Thread(target=items.make_all, name="reading ahead", daemon=True)
    thread.start()
    try:
        yield from items.taken()
    finally:
        items.end()
        if current_thread() is not thread:  # where the garbage collector may close a generator
            thread.join()


@dataclass(frozen=True, slots=True)
class _Over:
    """Nothing more comes: all is made, or an error ended it."""

    error: BaseException | None = None


class _Items(Generic[T]):
    """Items on their way from the thread that makes them to the one that takes them."""

    def __init__(
        self, make: Callable[[], Iterable[T]], most: int, device: torch.device | None
    ) -> None:
        self._make, self._device = make, device
        self._room = Semaphore(most)
        self._queue: SimpleQueue[T | _Over] = SimpleQueue()
        self._ended = False

    def make_all(self) -> None:
        """Make items as long as there is room and somebody to take them."""
        cuda = self._device is not None and self._device.type == "cuda"
        try:
            # data needs no derivatives; which GPU is in use is a matter of each thread
            with torch.no_grad(), torch.cuda.device(self._device) if cuda else nullcontext():
                items = iter(self._make())
                over = False
                while not over and self._has_room():
                    item = next(items, _Over())
                    over = isinstance(item, _Over)
                    self._queue.put(item)
        except BaseException as error:  # whoever takes must not wait for ever
            self._queue.put(_Over(error))

    def taken(self) -> Iterator[T]:
        """The items in order, as they come."""
        while not isinstance(item := self._queue.get(), _Over):
            self._room.release()
            yield item
        if item.error is not None:
            raise item.error

    def end(self) -> None:
        """Nothing is taken any more."""
        self._ended = True
        self._room.release()

    def _has_room(self) -> bool:
        self._room.acquire()
        return not self._ended
