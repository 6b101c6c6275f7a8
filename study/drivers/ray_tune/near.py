"""The feed in the driver's own process; slots reach it by a connection each.

A call through Ray goes through the threads of two processes there and back; a pack's hand-over was
three of them. Ray's processes must reach each other and the driver in any case.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import AuthenticationError
from multiprocessing.connection import (
    Client,
    Connection,
    Listener,
    answer_challenge,
    deliver_challenge,
)
from typing import Any

from study.drivers.ray_tune.feed import NO_MORE, Feed, FeedEvent

_BACKLOG = 128
_DRAIN_S = 5.0
"""What a process has sent is read so long after its end."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where slots find the feed.

    Attributes:
        key: What they show there that they belong to it.
    """

    host: str
    port: int
    key: bytes


class NearFeed:
    """The feed, and a thread for each slot that reads what it sends.

    Args:
        host: Address of this machine among the cluster's.

    Attributes:
        way: Where slots find it.
    """

    def __init__(self, host: str) -> None:
        family = "AF_INET6" if ":" in host else "AF_INET"
        self._listener = Listener((host, 0), family=family, backlog=_BACKLOG)
        self.way = Address(host, self._listener.address[1], secrets.token_bytes())
        self._feed, self._closed = Feed(), False
        self._readers: dict[str, threading.Thread] = {}
        self._connections: list[Connection] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def __getstate__(self) -> dict[str, object]:
        """Nothing: there is no way here from the copy that Ray Tune keeps in its folder."""
        return {}

    def events(self, timeout_s: float) -> list[FeedEvent]:
        """What has happened since the last call; waits for something at most `timeout_s`."""
        return self._feed.events(timeout_s)

    def order(self, hosts: Sequence[str], order: bytes) -> None:
        """Tell slots."""
        self._feed.order(hosts, order)

    def leave(self, slot: str) -> tuple[str, str] | None:
        """A slot's process has ended; what it said before is taken in first."""
        left = self._feed.leave(slot)
        if left is not None:
            self._readers.pop(left[0]).join(_DRAIN_S)
        return left

    def host_lost(self, host: str | None, reason: str, loss: str) -> None:
        """Why a slot's process has ended."""
        self._feed.host_lost(host, reason, loss)

    def close(self) -> None:
        """Let nobody in any more, and end all connections."""
        self._closed = True
        with suppress(OSError):  # wakes the thread that waits for somebody
            socket.create_connection((self.way.host, self.way.port)).close()
        self._accepting.join(_DRAIN_S)
        for connection in self._connections:
            with suppress(OSError), _socket_of(connection) as tcp:
                tcp.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with self._listener:
            while True:
                connection = self._listener.accept()
                if self._closed:
                    connection.close()
                    return
                self._connections.append(connection)
                threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def _read(self, connection: Connection) -> None:
        """Take in what a slot sends until its process ends."""
        with suppress(AuthenticationError, EOFError, OSError), connection:
            deliver_challenge(connection, self.way.key)
            answer_challenge(connection, self.way.key)
            _send_at_once(connection)
            slot, host, actor, node = connection.recv()
            self._readers[host] = threading.current_thread()
            self._feed.enter(slot, host, actor, node, _Sender(connection))
            while True:
                method, *said = connection.recv()
                getattr(self._feed, method)(host, *said)


class _Sender:
    """A slot's mailbox at the end of its connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, order: bytes, /) -> None:
        with suppress(OSError):  # it has ended, as Ray Tune will say
            self._connection.send_bytes(order)


class NearLine:
    """A slot's end of the connection; without a driver there is nothing left to do here.

    Raises:
        ConnectionError: The driver cannot be reached.
    """

    def __init__(self, way: Address) -> None:
        try:
            self._connection = Client((way.host, way.port), authkey=way.key)
            _send_at_once(self._connection)
        except (OSError, EOFError, AuthenticationError) as error:
            raise ConnectionError(
                f"Slots must reach the driver at {way.host}, port {way.port}, as Ray's own "
                f"processes must. This one does not: {error}. Open the ports between the nodes."
            ) from error

    def enter(self, slot: str, host: str, actor: bytes, node: str) -> None:
        """The slot's process has begun."""
        self._send((slot, host, actor, node))

    def join(self, _host: str, local: int, pid: int) -> None:
        """The slot has a worker."""
        self._send(("join", local, pid))

    def say(self, _host: str, local: int, messages: bytes) -> None:
        """A worker tells the driver."""
        self._send(("say", local, messages))

    def lost(self, _host: str, local: int, reason: str, loss: str) -> None:
        """The slot's worker has ended."""
        self._send(("lost", local, reason, loss))

    def next_order(self, _host: str) -> bytes:
        """The driver's next order; waits for one."""
        try:
            return self._connection.recv_bytes()
        except (EOFError, OSError):
            return NO_MORE

    def _send(self, said: tuple[Any, ...]) -> None:
        try:
            self._connection.send(said)
        except OSError:
            os._exit(0)


def _send_at_once(connection: Connection) -> None:
    """Small messages do not wait for the answer to the last one."""
    with _socket_of(connection) as tcp:
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _socket_of(connection: Connection) -> socket.socket:
    return socket.socket(fileno=os.dup(connection.fileno()))
