"""Whether processes of Ray that a driver cannot do without can still be reached."""

from __future__ import annotations

import socket
import time

_LOOK_S = 2.0
_ANSWER_S = 2.0
PATIENCE_S = 20.0
"""A head may be started again meanwhile. Ray itself ends, after a minute, what has none."""
RAYLET_PATIENCE_S = 4.0
"""A raylet is not: Ray ends its node, and after half a minute what has connected to it."""


class Listening:
    """Looks, every two seconds, whether somebody listens at an address.

    Args:
        address: ``HOST:PORT``; None: there is nothing to look at.
        patience_s: For how long nobody may.
    """

    def __init__(self, address: str | None, patience_s: float = PATIENCE_S) -> None:
        self._address, self._patience_s = address, patience_s
        self._looked_s = self._seen_s = time.monotonic()

    @property
    def gone(self) -> bool:
        """Whether nobody has answered for too long."""
        now_s = time.monotonic()
        if self._address is None or now_s - self._looked_s < _LOOK_S:
            return False
        if _answers(self._address):
            self._seen_s = now_s
        self._looked_s = time.monotonic()
        return self._looked_s - self._seen_s > self._patience_s


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_S):
            return True
    except OSError:
        return False
