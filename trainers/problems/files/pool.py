"""Loader processes of one worker: they read whole batches, and batches come in their order.

A batch's bits do not depend on who reads it: each sample is read and changed by itself, and all
that is random in it has an address. With no process at all, batches are read where they are asked
for.
"""

from __future__ import annotations

import subprocess
import sys
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.connection import Connection, Pipe, wait
from threading import Lock

from trainers.problems.errors import DataBroken, LoaderLost
from trainers.problems.files.batches import Reading, n_bytes
from trainers.problems.files.memory import Block, SharedMemory
from trainers.problems.files.messages import Answered, Asked, Told
from trainers.randomness import Key

_AHEAD = 1
"""Batches that are asked for beside one for each process."""
_MODULE = "trainers.problems.files.loader"

Asking = tuple[Sequence[int], Key]
"""Rows of a batch, and the address of what is random in it."""
Bytes = memoryview | bytearray


class LoaderPool:
    """Reads batches; its processes begin with the first one, and end with the pool.

    Args:
        n_loaders: How many processes; 0 to read in the thread that asks.
    """

    def __init__(self, n_loaders: int) -> None:
        self.n_loaders = n_loaders
        self._crew: _Loaders | None = None
        self._lock = Lock()  # passes over several splits may be open in several threads

    def batches(self, reading: Reading, asked: Iterable[Asking]) -> Iterator[tuple[Bytes, int]]:
        """The bytes of each batch and its number of samples, until the next one is asked for.

        Raises:
            DataBroken: A file is missing, torn, or holds what it must not.
            LoaderLost: A process has ended by itself.
        """
        if self.n_loaders:
            yield from self._read_by_others(reading, iter(asked))
            return
        for rows, key in asked:
            block = bytearray(n_bytes(reading.samples.arrays, len(rows)))
            reading.fill(rows, key, block)
            yield block, len(rows)

    def _read_by_others(
        self, reading: Reading, asked: Iterator[Asking]
    ) -> Iterator[tuple[Bytes, int]]:
        with self._lock:
            if self._crew is None or self._crew.lost:
                self._crew = _Loaders(self.n_loaders)
            loaders = self._crew
        under_way: deque[tuple[int, Block, int]] = deque()

        def ask(n: int) -> None:
            for rows, key in islice(asked, n):
                with self._lock:
                    under_way.append((*loaders.ask(reading, rows, key), len(rows)))

        try:
            ask(self.n_loaders + _AHEAD)
            while under_way:
                ticket, block, n_rows = under_way[0]
                with self._lock:
                    answer, view = loaders.answer(ticket), loaders.memory.view(block)
                if answer.error:
                    raise (DataBroken if answer.broken else LoaderLost)(answer.error)
                yield view, n_rows
                under_way.popleft()
                with self._lock:
                    loaders.done(ticket, block)
                ask(1)
        finally:
            with self._lock:
                for ticket, block, _ in () if loaders.lost else under_way:
                    loaders.done(ticket, block)


@dataclass(eq=False)
class _Loader:
    """A process, the pipe to it, and what it knows and has to do."""

    process: subprocess.Popen[bytes]
    pipe: Connection
    told: set[int] = field(default_factory=set)
    tickets: set[int] = field(default_factory=set)


class _Loaders:
    """Processes that share memory with this one. Whoever calls holds the pool's lock."""

    def __init__(self, n_loaders: int) -> None:
        self.memory = SharedMemory()
        self.lost = False
        self._all = [_started(self.memory.fileno) for _ in range(n_loaders)]
        self._readings: list[Reading] = []
        self._answers: dict[int, Answered] = {}
        self._n_tickets = 0
        weakref.finalize(self, _end, self._all, self.memory)

    def ask(self, reading: Reading, rows: Sequence[int], key: Key) -> tuple[int, Block]:
        """Have a batch read by whoever has least to do; its ticket, and where it will be."""
        loader = min(self._all, key=lambda loader: len(loader.tickets))
        number = self._number_of(reading)
        block = self.memory.take(n_bytes(reading.samples.arrays, len(rows)))
        ticket = self._n_tickets
        self._n_tickets += 1
        try:
            if number not in loader.told:
                loader.pipe.send(Told(number, reading))
                loader.told.add(number)
            loader.pipe.send(Asked(ticket, number, rows, key, block))
        except OSError:
            raise self._loss(loader) from None
        loader.tickets.add(ticket)
        return ticket, block

    def answer(self, ticket: int) -> Answered:
        """Wait until a batch is there.

        Raises:
            LoaderLost: A process has ended by itself.
        """
        while ticket not in self._answers:
            ready = wait([loader.pipe for loader in self._all])
            for loader in self._all:
                if loader.pipe in ready:
                    try:
                        answer: Answered = loader.pipe.recv()
                    except (EOFError, OSError):
                        raise self._loss(loader) from None
                    loader.tickets.remove(answer.ticket)
                    self._answers[answer.ticket] = answer
        return self._answers[ticket]

    def done(self, ticket: int, block: Block) -> None:
        """Let others have a batch's block, which is written to until the batch is there."""
        self.answer(ticket)
        del self._answers[ticket]
        self.memory.give_back(block)

    def _number_of(self, reading: Reading) -> int:
        for number, known in enumerate(self._readings):
            if known is reading:
                return number
        self._readings.append(reading)
        return len(self._readings) - 1

    def _loss(self, loader: _Loader) -> LoaderLost:
        self.lost = True
        code = loader.process.wait()
        return LoaderLost(
            f"A process that reads samples must live as long as its worker. One ended with code "
            f"{code}. If that is -9, memory may have run out: lower `loaders` in "
            "[problem_options]. The run can be tried again."
        )


def _started(memory: int) -> _Loader:
    ours, its = Pipe()
    with its:
        descriptors = (its.fileno(), memory)
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", _MODULE, *map(str, descriptors)],
            pass_fds=descriptors,
            stdin=subprocess.DEVNULL,
        )
    return _Loader(process, ours)


def _end(loaders: Iterable[_Loader], memory: SharedMemory) -> None:
    """Processes end when they are told, after the batch that they are reading.

    That their pipes close may reach none of them: a process that was forked since has these, too.
    """
    for loader in loaders:
        with suppress(OSError):  # it has ended by itself
            loader.pipe.send(None)
        loader.pipe.close()
    for loader in loaders:
        loader.process.wait()
    memory.close()
