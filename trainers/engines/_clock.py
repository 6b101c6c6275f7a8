"""Device time by laps."""

from __future__ import annotations

from time import perf_counter

from trainers.engines.session import Session


class Clock:
    """Time between laps, of all devices together: asynchronous devices are waited for."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._last = perf_counter()

    def lap(self) -> float:
        """Device-seconds since the last lap, or since the start."""
        self._session.synchronize()
        now = perf_counter()
        elapsed, self._last = now - self._last, now
        return elapsed * self._session.n_devices
