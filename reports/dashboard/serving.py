"""Runs the web server until it is told to stop."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import uvicorn

from reports.dashboard.app import application
from reports.dashboard.concluding.outlook import LookAhead
from reports.dashboard.concluding.printed import Outputs
from reports.dashboard.security import Access
from reports.dashboard.site import Actions
from reports.errors import ReportError

_TURN_S: Final = 0.001
"""How long a thread that reads a study holds up those that answer; Python's own is five times as
long, and an answer waits for many turns."""


class CannotListen(ReportError):
    """The address is taken, or is none of this machine."""


class NoTls(ReportError):
    """The certificate or its key cannot be used."""


def serve(
    url: str,
    *,
    host: str,
    port: int,
    access: Access,
    ahead: LookAhead = lambda _: (),
    outputs: Outputs = lambda _: (),
    actions: Actions | None = None,
    estimators: str = "",
    at_end: Callable[[], None] = lambda: None,
    certificate: Path | None = None,
    key: Path | None = None,
    ready: Callable[[int], None],
) -> None:
    """Serve the dashboard until Ctrl-C.

    Args:
        port: 0 takes one that is free.
        ahead: Tells what a study takes yet.
        outputs: Finds what a run has printed.
        actions: What is needed to change studies; None: nothing can be changed.
        estimators: Where `reports.importances.Estimators` are found, as ``module:name``: they are
            loaded by the process that works out what the report would say.
        at_end: Called when nobody looks any more, to end what `ahead` has begun.
        certificate: With `key`, files in PEM format, to speak TLS.
        ready: Called with the port once it can be reached.

    Raises:
        StorageError: The database cannot be opened.
        CannotListen: Nobody can listen there.
        NoTls: Certificate and key cannot be used.
    """
    if not host.strip():
        raise CannotListen(
            "--host must be an address or a name of this machine. Got none. Leave it out to answer "
            "this machine alone, or give 0.0.0.0 to answer others, too."
        )
    app = application(
        url,
        access,
        ahead=ahead,
        outputs=outputs,
        actions=actions,
        estimators=estimators,
        at_end=at_end,
    )
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        timeout_graceful_shutdown=2,
    )
    try:
        config.load()
    except OSError as error:
        raise NoTls(
            "--certificate and --key must be PEM files of a certificate and of its key. The system "
            f"said: {error}. Give the files that belong together."
        ) from error
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except (OSError, TypeError) as error:  # TypeError: no name can be written so
        listening.close()
        raise CannotListen(
            f"The dashboard must be able to listen at {host}, port {port}. The system said: "
            f"{getattr(error, 'strerror', None) or error}. Choose others with --host and --port."
        ) from error
    sys.setswitchinterval(_TURN_S)
    ready(listening.getsockname()[1])
    uvicorn.Server(config).run(sockets=[listening])
