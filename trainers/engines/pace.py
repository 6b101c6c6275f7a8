"""How long work on batches takes, told from the first few of an epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from time import process_time

import torch
from torch import Tensor

from trainers.engines.session import Session
from trainers.jobs import Training
from trainers.protocol import Batch, Source
from trainers.randomness import Key

BATCHES = 4
"""Batches of a pass that is timed, if they are not too long."""

Moment = tuple[float, ...]
"""Seconds of all clocks that count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What the first batches of a pass took.

    Attributes:
        n: Batches.
        whole_s: From before the first one was made to the end.
        batch_s: Of each further one.
    """

    n: float
    whole_s: float
    batch_s: float

    def pass_s(self, n: float) -> float:
        """What a pass over `n` batches takes."""
        return self.whole_s + (n - self.n) * self.batch_s


@dataclass(slots=True)
class First:
    """The first samples of a source.

    Attributes:
        size: How many; it may be changed between passes.
        taken: When each batch of the last pass was taken.
    """

    source: Source
    size: int
    now: Callable[[], Moment]
    taken: list[Moment] = field(default_factory=list)

    def batches(self, order: Tensor | None, batch_size: int, key: Key) -> Iterator[Batch]:
        """Batches of these samples only, in an order ``[N]`` by number or as they are stored."""
        chosen = torch.arange(self.size) if order is None else order
        self.taken.clear()
        for batch in self.source.batches(chosen, batch_size, key):
            self.taken.append(self.now())
            yield batch


class Shortened:
    """A session with as many samples as are timed.

    Args:
        now: A clock in s.

    Attributes:
        session: The session.
    """

    def __init__(self, session: Session, training: Training, now: Callable[[], float]) -> None:
        self._whole, self._streamed, self._training = session, session.streamed, training
        self._clock = now
        self._sources = {
            split: First(source, source.size, self._taken)
            for split, source in session.sources.items()
        }
        self.session = replace(session, sources=dict(self._sources))
        self.take(BATCHES)

    def take(self, n_batches: int) -> None:
        """Let a pass have so many batches; for one, no more is judged than is trained on."""
        training = self._training
        judged = training.eval_batch_size
        if n_batches == 1:
            judged = min(judged, training.batch_size)
        elif self._streamed:  # the first batch is waited for, and no other: one would tell too much
            judged *= n_batches
        wished = {"train": n_batches * training.batch_size, "validation": judged, "test": judged}
        for split, source in self._sources.items():
            source.size = min(self._whole.sources[split].size, wished[split])

    def pace(self, work: Callable[[], object], split: str, batch_size: int) -> Pace:
        """Time work that goes through a split once."""
        source = self._sources[split]
        began = self._now()
        work()
        whole_s = _longest(began, self._now())
        n = source.size / batch_size
        batch_s = whole_s / (len(source.taken) if n > 1 else n)
        if self._streamed and len(source.taken) > 1:
            batch_s = _longest(source.taken[0], source.taken[-1]) / (len(source.taken) - 1)
        return Pace(n=n, whole_s=whole_s, batch_s=batch_s)

    def _taken(self) -> Moment:
        return self._now() if self._streamed else ()

    def _now(self) -> Moment:
        """This moment, once the device has done its work.

        The thread that reads finds an idle core here, while the other workers wait for the
        calibration. Later they share the cores, so that what it computes counts as well.
        """
        self._whole.synchronize()
        if self._streamed and self._whole.device.type == "cpu":
            return self._clock(), process_time()
        return (self._clock(),)


def _longest(began: Moment, ended: Moment) -> float:
    return max(end - begin for begin, end in zip(began, ended, strict=True))
