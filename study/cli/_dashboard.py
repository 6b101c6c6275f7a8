"""``weighbridge dashboard``: the study database in a browser, live."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from study.cli._options import STORAGE, StorageUrl
from study.cli._output import amount, duration, say
from study.commands import STORAGE_VARIABLE
from study.errors import StudyError

NAME = "dashboard"
_STATUS_S = 120.0


def command(
    storage: StorageUrl = STORAGE,
    host: Annotated[
        str, typer.Option(help="Address to listen at; others than loopback need a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes one that is free.")] = 8050,
    name: Annotated[
        list[str] | None,
        typer.Option(help="Host name that browsers may call it by; may be repeated."),
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="PEM file, to speak TLS.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="PEM file of its key.")
    ] = None,
) -> None:
    """Show studies in a browser, live, while they run or afterwards."""
    from reports import ReportError
    from reports.dashboard import Access, is_loopback, serve

    if (certificate is None) != (key is None):
        raise StudyError("TLS needs both --certificate and --key. One was given. Give the other.")
    token = None if is_loopback(host) else secrets.token_urlsafe(16)
    names = [*(name or ()), *([] if token is None else [socket.gethostname()])]
    access = Access(token=token, names=names, secure=certificate is not None)

    def ready(port: int) -> None:
        shown = f"[{host}]" if ":" in host else host
        say(f"{'https' if access.secure else 'http'}://{shown}:{port}", "   (Ctrl-C ends it)")
        if token is not None:
            say("token: ", (token, "bold"), "   It is shown this once; browsers ask for it.")
            if not access.secure:
                say("Without TLS, others on the network can read along: --certificate and --key.")

    def ahead(study: str) -> list[tuple[str, str]]:
        return _ahead(study, storage)

    try:
        serve(
            storage,
            host=host,
            port=port,
            access=access,
            ahead=ahead,
            certificate=certificate,
            key=key,
            ready=ready,
        )
    except ReportError as error:
        raise StudyError(str(error)) from error


def _ahead(study: str, storage: str) -> list[tuple[str, str]]:
    """What a study takes yet, as `weighbridge status` tells it.

    Asked of a process of its own: the study is planned anew for it, with the user's own modules.
    """
    command = [sys.executable, "-P", "-m", "study.cli", "status", study, "--json"]
    try:
        said = subprocess.run(
            command,
            env={**os.environ, STORAGE_VARIABLE: storage},
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_STATUS_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return []  # of a study that ends, is renamed or deleted meanwhile there is nothing to tell
    found = json.loads(said.stdout)["forecast"]
    if found is None:
        return []
    if "why" in found:
        return [("Still to come", found["why"])]
    told = []
    if left := found["device_s_left"]:
        told.append(("Device time still to come", _range(left, duration)))
    if left := found["money_left"]:
        told.append(("Money still to come", _range(left, amount)))
    if left := found["wall_s_left"]:
        ends = datetime.now(UTC) + timedelta(seconds=left["value"])
        told.append(("Ends in about", f"{_range(left, duration)}, at {ends:%H:%M} UTC"))
    if not told and found["searches"]:
        told.append(("Still to come", "not known before something of this shape was timed"))
    return told


def _range(value: Mapping[str, float | None], said: Callable[[float], str]) -> str:
    """``3 min 20 s (2 min 10 s to 5 min 00 s)``."""
    middle, low, high = (value[name] for name in ("value", "low", "high"))
    if middle is None:
        return "not known"
    within = f" ({said(low)} to {said(high)})" if low is not None and high is not None else ""
    return said(middle) + within
