"""A driver is killed between claiming a message and sending it: the next one sends it, once."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from storage import Reader
from tests.integration.command import DEADLINE_S, WARM, begun, command, ended
from tests.integration.tiny_study import write_spec
from tests.receiver import receiving

SPEC = """
[notify]
on = ["done"]
url = "http://127.0.0.1:{port}/services/SECRET"
[[search]]
weighting = "ew"
stages = [{{ lr = [0.05] }}]
"""


def wait_for_claim(folder: Path, driver: subprocess.Popen[str]) -> None:
    """Until a message is being sent."""
    until_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < until_s and driver.poll() is None:
        time.sleep(0.05)
        if not (folder / "weighbridge.db").exists():
            continue
        with closing(sqlite3.connect(folder / "weighbridge.db")) as connection:
            try:
                if connection.execute("SELECT sum(n_attempts) FROM notifications").fetchone()[0]:
                    return
            except sqlite3.OperationalError:
                pass  # its tables are being made
    pytest.fail(f"no message was claimed; it said: {ended(driver)}")


def test_a_message_whose_driver_was_killed_is_sent_once_by_the_next(tmp_path: Path) -> None:
    with socket.socket() as silent:  # takes connections, and reads nothing
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        write_spec(tmp_path, "tiny", SPEC.format(port=port))
        with begun(tmp_path, "run", "tiny.toml", "--workers", "1", module=WARM) as driver:
            wait_for_claim(tmp_path, driver)
            os.kill(driver.pid, signal.SIGKILL)
    with closing(sqlite3.connect(tmp_path / "weighbridge.db")) as connection, connection:
        connection.execute("UPDATE notifications SET attempted_at = '2026-01-01T00:00:00+00:00'")
    with receiving(port) as receiver:
        for _ in range(2):
            said = command(tmp_path, "run", "tiny.toml", "--workers", "1")
            assert (said.code, receiver.events) == (0, ["done"]), said.err
        url = f"sqlite:///{tmp_path / 'weighbridge.db'}"
        with closing(Reader(url)) as reader:
            (message,) = reader.notifications(reader.study("tiny").birth)
        assert (message.attempts, message.delivered is None) == (2, False)
        assert "SECRET" not in (tmp_path / "weighbridge.db").read_bytes().decode("latin-1")

        said = command(tmp_path, "notify", "tiny.toml", "--json")
        assert [one["event"] for one in said.json["messages"]] == ["done"]
        tested = command(tmp_path, "notify", "tiny.toml", "--test", "--json")
        (test,) = tested.json["messages"]
        assert (tested.code, test["event"], test["attempts"], test["error"]) == (0, "test", 1, None)
        receiver.status = 404
        refused = command(tmp_path, "notify", "tiny.toml", "--test")
        assert receiver.events == ["done", "test", "test"]
    assert refused.code == 2
    assert "status 404" in refused.err
    with closing(sqlite3.connect(tmp_path / "weighbridge.db")) as connection, connection:
        connection.execute("UPDATE notifications SET delivered_at = NULL, last_error = 'No room.'")
    text = command(tmp_path, "status", "tiny").text
    assert "the message `done` was not delivered in 2 attempts: No room; a driver at work" in text
    assert "next: weighbridge notify tiny" in text
    (found,) = command(tmp_path, "status", "tiny", "--json").json["undelivered"]
    assert (found["event"], found["attempts"], found["error"]) == ("done", 2, "No room.")
    assert found["next_try"] > found["seen"]
    by_name = command(tmp_path, "notify", "tiny")
    assert by_name.code == 2
    assert "WEIGHBRIDGE_NOTIFY_URL" in by_name.err
    assert "SECRET" not in refused.err + by_name.err
