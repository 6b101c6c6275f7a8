"""Whether somebody of Ray's listens at an address: before one connects to it, and ever after.

Ray itself tries for minutes with anybody.
"""

from __future__ import annotations

import os
import socket
import time

_CONNECT_S = 10.0
_REFUSED_S = 3.0
"""A machine that answers, on which nobody listens, may have a head that has just been started."""
_PAUSE_S = 0.5
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
"""With which a client of gRPC begins, an empty list of settings included."""
_SETTINGS = 4
"""Kind of the frame with which a server of gRPC answers."""

_LOOK_S = 2.0
_ANSWER_S = 2.0
TIMEOUT_S = 20.0
"""A head may be started again meanwhile. Ray itself ends, after a minute, what has none."""
RAYLET_TIMEOUT_S = 4.0
"""A raylet is not: Ray ends its node, and after half a minute what has connected to it."""


def check_endpoint(address: str) -> None:
    """Wait until somebody listens at HOST:PORT, and see that it speaks as Ray does.

    Raises:
        OSError: Nobody listens, with the reason of the last attempt; or it is something else.
        ValueError: The port is no number.
    """
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon:
        return
    place = host.strip("[]"), int(port)
    began_s = time.monotonic()
    while True:
        try:
            with socket.create_connection(place, _CONNECT_S) as connection:
                answer = _answer(connection)
            break
        except OSError as error:
            timeout_s = _REFUSED_S if isinstance(error, ConnectionRefusedError) else _CONNECT_S
            if time.monotonic() - began_s >= timeout_s:
                raise
            time.sleep(_PAUSE_S)
    if answer is not None and (len(answer) < 4 or answer[3] != _SETTINGS):
        raise ConnectionError("what listens there is no Ray")


def _answer(connection: socket.socket) -> bytes | None:
    """The beginning of what is said to a client of gRPC; None with TLS, where Ray has to ask."""
    if os.environ.get("RAY_USE_TLS") == "1":
        return None
    answer = b""
    deadline_s = time.monotonic() + _CONNECT_S
    try:
        connection.sendall(_PREFACE)
        while len(answer) < 4 and (left_s := deadline_s - time.monotonic()) > 0:
            connection.settimeout(left_s)
            more = connection.recv(4)
            if not more:
                break
            answer += more
    except OSError:  # it has closed the connection, or says nothing
        return answer
    return answer


class EndpointWatch:
    """Looks, every two seconds, whether somebody listens at an address.

    Args:
        address: ``HOST:PORT``; None: there is nothing to look at.
        timeout_s: For how long nobody may.
    """

    def __init__(self, address: str | None, timeout_s: float = TIMEOUT_S) -> None:
        self._address, self._timeout_s = address, timeout_s
        self._looked_s = self._seen_s = time.monotonic()

    @property
    def is_gone(self) -> bool:
        """Whether nobody has answered for too long."""
        now_s = time.monotonic()
        if self._address is None or now_s - self._looked_s < _LOOK_S:
            return False
        if _answers(self._address):
            self._seen_s = now_s
        self._looked_s = time.monotonic()
        return self._looked_s - self._seen_s > self._timeout_s


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_S):
            return True
    except OSError:
        return False
