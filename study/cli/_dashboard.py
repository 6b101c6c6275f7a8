"""``weighbridge dashboard``: the study database in a browser, live."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path
from typing import Annotated

import typer

from study.cli._options import STORAGE, StorageUrl
from study.cli._output import say
from study.errors import StudyError

NAME = "dashboard"


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

    try:
        serve(
            storage,
            host=host,
            port=port,
            access=access,
            certificate=certificate,
            key=key,
            ready=ready,
        )
    except ReportError as error:
        raise StudyError(str(error)) from error
