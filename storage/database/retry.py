"""Tries a transaction again while the trouble may pass by itself."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from storage.errors import DatabaseUnusable

_FIRST_WAIT_S = 0.05
_LONGEST_WAIT_S = 5.0

P = ParamSpec("P")
R = TypeVar("R")


class Retry:
    """Waits out trouble, for a limited time.

    Args:
        limit_s: How long one transaction is tried for.
        on_trouble: Told once when trouble begins that the first new try did not end, and once
            when it is over.
        sleep: Waits.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        limit_s: float,
        on_trouble: Callable[[str], None],
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit_s, self._on_trouble = limit_s, on_trouble
        self._sleep, self._clock = sleep, clock
        self._spent = False  # once the time has run out, trouble is final until it is over

    def until_done(self, work: Callable[[], R]) -> R:
        """What `work` returns, tried again after passing trouble.

        Waits double from 50 ms to 5 s, each times a random share of a half to one, so that
        drivers which were thrown out together do not come back together. The last one ends with
        the limit.

        Raises:
            DatabaseUnusable: The trouble does not pass by itself, or has not in time.
        """
        began_s, wait_s, tries = self._clock(), _FIRST_WAIT_S, 0
        while True:
            try:
                done = work()
            except DatabaseUnusable as error:
                tries += 1
                waited_s = self._clock() - began_s
                self._give_up_or_go_on(error, waited_s)
                if tries == 2:  # what one new try mends is not worth a message
                    self._on_trouble(f"{error} Trying again for up to {self._limit_s:.0f} s.")
            else:
                self._spent = False
                if tries > 1:
                    waited_s = self._clock() - began_s
                    self._on_trouble(f"The study database is back after {waited_s:.0f} s.")
                return done
            self._pause(min(wait_s * random.uniform(0.5, 1.0), self._limit_s - waited_s))
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    def _give_up_or_go_on(self, error: DatabaseUnusable, waited_s: float) -> None:
        if not error.passing or self._spent:
            raise error
        if waited_s >= self._limit_s:
            self._spent = True
            raise DatabaseUnusable(f"{error} Tried for {waited_s:.0f} s.") from error

    def _pause(self, wait_s: float) -> None:
        try:
            self._sleep(wait_s)
        except BaseException:
            self._spent = True  # a user who interrupts the wait will not wait once more
            raise


class HasRetry(Protocol):
    """What has methods that are one transaction each."""

    @property
    def retries(self) -> Retry:
        """How long its transactions are tried for."""


S = TypeVar("S", bound=HasRetry)


def retried(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Make a method that is one transaction wait out passing trouble."""

    @wraps(method)
    def tried(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.retries.until_done(lambda: method(self, *args, **kwargs))

    return tried


def silent(_message: Any) -> None:
    """Tell nobody."""
