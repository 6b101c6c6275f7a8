"""``weighbridge dashboard``: the study database in a browser, live."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from storage.records import AttemptLog
from study.asking import Asking, NotAnswered
from study.cli._options import STORAGE, StorageUrl
from study.cli._output import amount, duration, say
from study.cli._printed import Output, outputs_of
from study.drivers.holder import liveness
from study.errors import StudyError
from study.running.checkpoint_path import remove_files

if TYPE_CHECKING:
    from reports.dashboard.concluding.outlook import Told

NAME = "dashboard"
_ESTIMATORS = "study.cli._estimators:estimators"


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
    allow_actions: Annotated[
        bool,
        typer.Option(
            "--allow-actions",
            help="Let those who know a token pause, stop, retry, delete and raise budgets.",
        ),
    ] = False,
) -> None:
    """Show studies in a browser, live, while they run or afterwards."""
    from reports import ReportError
    from reports.dashboard import Access, Actions, is_loopback, serve

    if (certificate is None) != (key is None):
        raise StudyError("TLS needs both --certificate and --key. One was given. Give the other.")
    # others of this machine may read, but not act in the name of who has started the server
    token = None if is_loopback(host) and not allow_actions else secrets.token_urlsafe(16)
    names = [*(name or ()), *([] if token is None else [socket.gethostname()])]
    access = Access(token=token, names=names, secure=certificate is not None)

    def ready(port: int) -> None:
        shown = f"[{host}]" if ":" in host else host
        say(f"{'https' if access.secure else 'http'}://{shown}:{port}", "   (Ctrl-C ends it)")
        if token is not None:
            say("token: ", (token, "bold"), "   It is shown this once; browsers ask for it.")
            if not access.secure and not is_loopback(host):
                say("Without TLS, others on the network can read along: --certificate and --key.")

    def ahead(study: str) -> Told:
        return _ahead(study, asking)

    asking = Asking(storage)
    try:
        serve(
            storage,
            host=host,
            port=port,
            access=access,
            ahead=ahead,
            at_end=asking.end,
            outputs=_outputs,
            actions=Actions(liveness=liveness, remove_files=remove_files)
            if allow_actions
            else None,
            estimators=_ESTIMATORS,
            certificate=certificate,
            key=key,
            ready=ready,
        )
    except ReportError as error:
        raise StudyError(str(error)) from error


def _outputs(attempts: Sequence[AttemptLog]) -> list[Output]:
    """What a run has printed, as `weighbridge log` finds it; a page waits for no object store."""
    return outputs_of(attempts, far=False)


def _ahead(study: str, asking: Asking) -> Told:
    """What a study takes yet, as `weighbridge status` tells it.

    The study is planned anew for it, with the user's own modules.
    """
    try:
        found = asking.ask("status", study)["forecast"]
    except NotAnswered:
        return []  # of a study that ends, is renamed or deleted meanwhile there is nothing to tell
    return _told(found, now=datetime.now(UTC)) if found else []


def _told(found: Mapping[str, Any], *, now: datetime) -> Told:
    """What pages say of a forecast that was made now."""
    from reports.dashboard import Ending

    if "why" in found:
        return [("Still to come", found["why"])]
    told: list[tuple[str, str | Ending]] = []
    if left := found["device_s_left"]:
        told.append(("Device time still to come", _range(left, duration)))
    if left := found["money_left"]:
        told.append(("Money still to come", _range(left, amount)))
    if left := found["wall_s_left"]:
        at, low, high = (
            None if left[name] is None else now + timedelta(seconds=left[name])
            for name in ("value", "low", "high")
        )
        if at is not None:
            told.append(("Expected end", Ending(at=at, low=low, high=high)))
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
