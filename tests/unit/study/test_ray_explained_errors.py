"""Whatever Ray raises becomes rule, finding and way out."""

from __future__ import annotations

import errno
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import ray
from hypothesis import given
from hypothesis import strategies as st

from study.drivers.options import RayOptions
from study.drivers.ray_tune import cluster, endpoints
from study.drivers.ray_tune.cluster import Cluster
from study.drivers.ray_tune.endpoints import check_endpoint
from study.drivers.ray_tune.explained_errors import gone, no_cluster, no_ray_here, within_reach
from study.errors import BadSpec, ClusterLost, WorkersUnusable


class AuthenticationError(Exception):
    """As Ray has it in later versions."""


TOKEN = AuthenticationError("Token authentication is enabled but no token was found")
VERSIONS = RuntimeError(
    "Version mismatch: The cluster was started with:\n    Ray: 2.40.0\n    Python: 3.10.12\n"
    "This process on node 10.0.0.1 was started with:\n    Ray: 2.60.0\n    Python: 3.11.7\n"
)
FULL = OSError(errno.ENOSPC, "No space left on device", "/small/ray")
anything = st.builds(
    lambda kind, text: kind(text),
    st.sampled_from([RuntimeError, OSError, ValueError, Exception, ray.exceptions.RayError]),
    st.text(),
)


@pytest.mark.parametrize(
    ["error", "parts"],
    [
        (TOKEN, ["must let this process in", "no token was found. Give", "RAY_AUTH_MODE=token"]),
        (VERSIONS, ["Ray: 2.40.0", "Python: 3.10.12", "Ray: 2.60.0", "Install the cluster's"]),
        (ConnectionError("what listens there is no Ray"), ["is no Ray. Start one with `ray start"]),
        (ConnectionRefusedError(111, "Connection refused"), ["Connection refused. Start one"]),
    ],
)
def test_a_cluster_that_was_named(error: Exception, parts: list[str]) -> None:
    said = str(no_cluster(error, "10.0.0.9:6379", named_by="--address"))
    assert "`--address` must" in said
    assert "'10.0.0.9:6379'" in said
    assert [part for part in parts if part not in said] == []


@pytest.mark.parametrize(
    ["error", "parts"],
    [
        (TOKEN, ["no token was found. Give", "RAY_AUTH_MODE=disabled"]),
        (FULL, ["No space left on device", "free some space", "RAY_TMPDIR"]),
        (OSError("AF_UNIX path length cannot exceed 107 bytes"), ["short path", "RAY_TMPDIR"]),
        (NotADirectoryError(20, "Not a directory"), ["Not a directory", "RAY_TMPDIR"]),
        (Exception("The current node timed out during startup."), ["session_latest/logs"]),
    ],
)
def test_a_ray_of_our_own_that_does_not_start(error: Exception, parts: list[str]) -> None:
    said = str(no_ray_here(error, "/small/ray"))
    assert said.startswith("Ray must start on this machine. It does not: ")
    assert "--address" not in said, "which nobody gave"
    assert [part for part in parts if part not in said] == []


@given(anything)
def test_any_exception_is_one_message_of_bounded_length(error: Exception) -> None:
    for refusal in (
        no_cluster(error, "auto", named_by="--address"),
        no_ray_here(error, "/tmp/ray"),
        gone(error),
    ):
        assert 60 < len(str(refusal)) < 900
        assert "Traceback" not in str(refusal)


def test_what_a_cluster_raises_under_way_says_that_it_has_gone() -> None:
    with (
        pytest.raises(ClusterLost, match=r"any more: socket closed. Look at the cluster"),
        within_reach(),
    ):
        raise RuntimeError("socket closed")


@pytest.mark.parametrize(
    "error", [TypeError("f() takes 1 argument"), KeyError("slot"), AssertionError()]
)
def test_a_fault_in_a_program_is_not_blamed_on_the_cluster(error: Exception) -> None:
    with pytest.raises(ClusterLost) as raised, within_reach():
        raise error
    said = str(raised.value)
    assert "Look at the cluster" not in said
    assert f"{type(error).__name__}: " in said
    assert "please report it" in said


def test_what_is_said_already_is_not_said_anew() -> None:
    with pytest.raises(BadSpec), within_reach():
        raise BadSpec("No.")


@pytest.fixture
def listening() -> Iterator[Callable[[bytes | None], str]]:
    """Makes a server that says something to whoever connects, or nothing."""
    servers: list[socket.socket] = []

    def listen(says: bytes | None) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def serve() -> None:
            with suppress(OSError), server.accept()[0] as connection:  # we may hang up first
                connection.recv(100)
                if says is not None:
                    connection.sendall(says)
                connection.recv(100)

        threading.Thread(target=serve, daemon=True).start()
        return f"127.0.0.1:{server.getsockname()[1]}"

    yield listen
    for server in servers:
        server.close()


@pytest.mark.parametrize("says", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n", b"", None])
def test_what_listens_and_is_no_ray_is_found_in_time(
    listening: Callable[[bytes | None], str], says: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "_CONNECT_S", 0.2)  # though it had said more
    with pytest.raises(ConnectionError, match="is no Ray"):
        check_endpoint(listening(says))


def test_a_server_of_grpc_may_be_ray(
    listening: Callable[[bytes | None], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "_CONNECT_S", 60.0)
    check_endpoint(listening(bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])))


def test_nobody_there_is_found_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "_REFUSED_S", 0.1)
    with pytest.raises(ConnectionRefusedError):
        check_endpoint("127.0.0.1:1")


@pytest.fixture
def handled(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Signals that our handler has got; Ray puts its own in its place and then does not start."""
    got: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: got.append(number))

    def init(*_args: object, **_named: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        raise TimeoutError("it does not start")

    monkeypatch.setattr(ray, "init", init)
    yield got
    signal.signal(signal.SIGTERM, before)


def test_handlers_of_signals_are_ours_after_ray_has_begun(
    handled: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_try_to_write", lambda _folder: None)
    with pytest.raises(WorkersUnusable, match="it does not start"):
        Cluster(RayOptions(), workers=1).connect()
    signal.raise_signal(signal.SIGTERM)
    assert handled == [signal.SIGTERM]


def test_a_full_folder_is_found_before_ray_is_started(
    handled: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_TMPDIR", "/dev/null")
    with pytest.raises(WorkersUnusable, match=r"Not a directory.*RAY_TMPDIR"):
        Cluster(RayOptions(), workers=1).connect()
    assert handled == []
