"""How long work on batches takes, told from the first few of an epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from time import process_time
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from trainers.engines.session import Session
from trainers.jobs import Training
from trainers.protocol import Batch, Source
from trainers.randomness import Key

if TYPE_CHECKING:
    from trainers.engines.fused.stack import Stack
    from trainers.engines.solo.lockstep import Lockstep

BATCHES = 4
"""Batches of a pass that is timed, if they are not too long."""

_LONG_S = 1.0
"""A pass that takes so long is not repeated, nor lengthened: its chance differences are small."""

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


def paced(
    team: Lockstep | Stack,
    training: Training,
    short: Shortened,
    has: Callable[[float], bool],
    *,
    repeats: int,
    warm: bool = False,
) -> Pace:
    """A shortened epoch of runs, undisturbed and warm: the fastest of a few.

    The first step tells what the next ones will cost. Where these are too long, one more it is.

    Args:
        has: Whether so many s may still be spent.
        warm: They have been paced before, and their steps are short.
    """

    def train() -> None:
        for result in team.train_epoch()[0]:
            if isinstance(result, Exception):
                raise result

    def pace() -> Pace:
        return short.pace(train, "train", training.batch_size)

    if not warm:
        short.take(1)
        first_s = pace().whole_s
        if first_s >= _LONG_S or not has(BATCHES * first_s):
            return pace()
    short.take(BATCHES)
    paces = [pace()]
    while len(paces) < repeats and paces[-1].whole_s < _LONG_S and has(paces[-1].whole_s):
        paces.append(pace())
    return min(paces, key=lambda pace: pace.whole_s)


def whole_epoch_s(trained: Pace, judged: Pace, session: Session, training: Training) -> float:
    """What training and validation of an epoch take, by the pace of both."""
    sizes = {split: source.size for split, source in session.sources.items()}
    train_s = trained.pass_s(training.samples_of(sizes["train"]) / training.batch_size)
    return train_s + judged.pass_s(sizes["validation"] / training.eval_batch_size)
