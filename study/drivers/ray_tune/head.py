"""Whether a cluster's head can still be reached."""

from __future__ import annotations

import socket
import time

_LOOK_S = 2.0
_ANSWER_S = 2.0
PATIENCE_S = 20.0
"""A head may be started again meanwhile. Ray itself ends, after a minute, what has none."""


class Head:
    """Looks, every two seconds, whether somebody listens at the head's address.

    Args:
        address: ``HOST:PORT``; None: there is nothing to look at.
    """

    def __init__(self, address: str | None) -> None:
        self._address = address
        self._looked_s = self._seen_s = time.monotonic()

    @property
    def gone(self) -> bool:
        """Whether nobody has answered for twenty seconds."""
        now_s = time.monotonic()
        if self._address is None or now_s - self._looked_s < _LOOK_S:
            return False
        if _answers(self._address):
            self._seen_s = now_s
        self._looked_s = time.monotonic()
        return self._looked_s - self._seen_s > PATIENCE_S


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_S):
            return True
    except OSError:
        return False
